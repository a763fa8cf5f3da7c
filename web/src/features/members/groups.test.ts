import { describe, expect, it } from 'vitest';
import type { Role } from '../../net/frames.ts';
import { groupsOf } from './groups.ts';

const people = new Map<string, Role>([
  ['zoe', 'member'],
  ['ada', 'owner'],
  ['bob', 'member'],
  ['mia', 'moderator'],
]);
const names = new Map([
  ['zoe', 'Ägidia Zoe'],
  ['bob', 'bob the builder'],
]);
const shown = (sought: string) => groupsOf(people, names, sought, 'en').map((g) => [g.role, ...g.people]);

describe('the people of a room', () => {
  it('stand_by_role_and_by_name_within_it', () => {
    expect(shown('')).toEqual([
      ['owner', 'ada'],
      ['moderator', 'mia'],
      ['member', 'zoe', 'bob'],
    ]);
  });
  it('are_found_by_the_beginning_of_a_handle_or_of_a_word_of_their_name', () => {
    expect(shown('BUIL')).toEqual([['member', 'bob']]);
    expect(shown('@zo')).toEqual([['member', 'zoe']]);
    expect(shown('nobody')).toEqual([]);
  });
});
