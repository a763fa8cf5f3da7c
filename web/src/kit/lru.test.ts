import { expect, it } from 'vitest';
import { Lru } from './lru.ts';

it('what_was_asked_for_last_is_remembered_and_no_more_than_so_many', () => {
  const made: string[] = [];
  const lru = new Lru<string, string>(2);
  const get = (key: string) => lru.get(key, () => made[made.push(key) - 1] ?? '');
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) expect(get(key)).toBe(key);
  expect(made).toEqual(['a', 'b', 'c', 'b']);
  expect(lru.size).toBe(2);
});
