import { describe, expect, it } from 'vitest';
import { en } from '../../i18n/en.ts';
import { typingText } from './Typing.tsx';

describe('typing', () => {
  it('names_one_or_two_and_no_crowd', () => {
    const names = new Map([['bob', 'Bob B']]);
    expect(typingText([], names, en)).toBe('');
    expect(typingText(['bob'], names, en)).toBe('Bob B is typing…');
    expect(typingText(['bob', 'carol'], names, en)).toBe('Bob B and carol are typing…');
    expect(typingText(['a', 'b', 'c'], names, en)).toBe('Several people are typing…');
  });
});
