import { describe, expect, it } from 'vitest';
import { foundPeople, isCalled } from './found.ts';

const names = new Map([
  ['bob', 'Bob the Builder'],
  ['ada', 'Ada Lovelace'],
  ['bea', 'bea'],
]);
const server = [
  { user: 'bob', displayName: 'Bob the Builder' },
  { user: 'bobby', displayName: 'bobby' },
];
const found = (sought: string, byHandle = server) =>
  foundPeople(byHandle, names, sought).map(({ user }) => user);

describe('who is meant', () => {
  it('is_whose_handle_begins_so_and_of_those_who_were_met_whose_name_does', () => {
    expect(found('bob')).toEqual(['bob', 'bobby']);
    expect(found('LOVE', [])).toEqual(['ada']);
    expect(found('b', [])).toEqual(['bob', 'bea']);
  });
  it('is_nobody_of_an_answer_to_what_was_typed_before', () => {
    expect(found('ada')).toEqual(['ada']);
  });
  it('is_told_by_the_beginning_of_a_word_and_not_by_what_is_within_one', () => {
    expect(isCalled('@bo', 'bob', '')).toBe(true);
    expect(isCalled('build', 'bob', 'Bob the Builder')).toBe(true);
    expect(isCalled('uild', 'bob', 'Bob the Builder')).toBe(false);
  });
});
