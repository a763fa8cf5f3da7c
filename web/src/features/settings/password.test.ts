import { describe, expect, it } from 'vitest';
import { faultsOf, strengthOf } from './password.ts';

describe('a new password', () => {
  const right = { current: 'the old one', next: 'the new one', again: 'the new one' };

  it('has_8_to_1024_bytes', () => {
    const with_ = (next: string) => faultsOf({ ...right, next, again: next });
    expect(with_('1234567')).toEqual({ next: 'short' });
    expect(with_('ÄÖÜß')).toEqual({});
    expect(with_('a'.repeat(1_024))).toEqual({});
    expect(with_('ä'.repeat(513))).toEqual({ next: 'long' });
  });

  it('is_written_twice_and_another_one_and_the_old_one_is_asked_for', () => {
    expect(faultsOf(right)).toEqual({});
    expect(faultsOf({ ...right, again: 'the new 0ne' })).toEqual({ again: 'notTheSame' });
    expect(faultsOf({ current: right.next, next: right.next, again: '' })).toEqual({ next: 'asBefore' });
    expect(faultsOf({ ...right, current: '' })).toEqual({ current: 'enterCurrent' });
  });

  it('is_called_strong_when_it_is_long_and_no_pattern', () => {
    const cases = [
      ['1234567', null],
      ['password', 'weak'],
      ['aaaaaaaaaaaaaaaaaaaaaaaa', 'weak'],
      ['ada-1 likes long walks', 'weak'],
      ['horse battery', 'fair'],
      ['correct horse battery', 'strong'],
    ] as const;
    for (const [password, strength] of cases) expect(strengthOf(password, 'ada-1'), password).toBe(strength);
  });
});
