import { describe, expect, it } from 'vitest';
import { namesOf, titleOf } from './people.ts';
import { common } from './words.en.ts';

const { people } = common;
const names = new Map([['bob', 'Bob B']]);

describe('people', () => {
  it('are_the_title_of_their_conversation', () => {
    expect(titleOf([], names, people)).toBe('Notes to yourself');
    expect(titleOf(['bob', 'carol'], names, people)).toBe('Bob B, carol');
  });

  it('name_who_reacts_and_count_whom_nobody_named', () => {
    expect(namesOf(['bob', 'alice', 'cy'], 3, 'alice', names, people)).toBe('Bob B, you, cy');
    expect(namesOf(['bob'], 4, 'alice', names, people)).toBe('Bob B, 3 others');
  });
});
