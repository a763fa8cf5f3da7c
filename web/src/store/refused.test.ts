import { describe, expect, it } from 'vitest';
import type { FaultCode } from '../net/codes.ts';
import { type Fault, faultOf, Problem } from '../net/problem.ts';
import { fold } from './fold.ts';
import { isOpenTo, refusalAt } from './refused.ts';
import { initialState, roomKey, rowReading } from './state.ts';

const R = 'room-1';
const before = initialState('alice');
const refused = (code: FaultCode): Fault => faultOf(new Problem({ status: 403, code, temporary: false }));
const told = (key: string, code: FaultCode) =>
  fold(before, {
    type: 'reading',
    generation: before.generation,
    key,
    reading: { status: 'failed', fault: refused(code) },
  });

describe('what a link leads to', () => {
  it('cmd6_is_refused_by_its_address_and_by_its_id', () => {
    expect(refusalAt(before, R)).toBeNull();
    for (const key of [roomKey(R), rowReading(R)]) {
      expect(refusalAt(told(key, 'not_member'), R)).toBe('not_member');
      expect(refusalAt(told(key, 'not_found'), R)).toBe('not_found');
      expect(refusalAt(told(key, 'unavailable'), R)).toBeNull();
      expect(refusalAt(told(key, 'not_member'), 'another')).toBeNull();
    }
  });

  it('cmd6_is_offered_where_anybody_may_come_in', () => {
    expect(isOpenTo(undefined, 'not_member')).toBe(true);
    expect(isOpenTo(undefined, 'not_found')).toBe(false);
    const gone = { name: 'Lobby', by: 'bob' } as const;
    expect(isOpenTo({ ...gone, change: 'left', visibility: 'public' }, null)).toBe(true);
    expect(isOpenTo({ ...gone, change: 'removed', visibility: 'public' }, null)).toBe(true);
    expect(isOpenTo({ ...gone, change: 'banned', visibility: 'public' }, null)).toBe(false);
    expect(isOpenTo({ ...gone, change: 'left', visibility: 'private' }, null)).toBe(false);
    expect(isOpenTo({ ...gone, change: 'left', visibility: null }, null)).toBe(false);
  });
});
