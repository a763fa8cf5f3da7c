/** People and rooms as they are called, and the colour that tells them apart. */
import { isolate, oneLine } from './bidi.ts';
import type { common } from './words.en.ts';

type Words = (typeof common)['people'];
export type Names = ReadonlyMap<string, string>;

/** For the middle of a sentence: a name turns nothing around it. Who was erased has no handle any more, and no name. */
export function nameOf(user: string, names: Names, words: Words): string {
  return user === '' ? words.erased : isolate(names.get(user) ?? user);
}

/** The people of a conversation as its title: the others, or oneself in notes to oneself. */
export function titleOf(others: readonly string[], names: Names, words: Words): string {
  if (others.length === 0) return words.notesToYourself;
  return others.map((user) => nameOf(user, names, words)).join(', ');
}

/** People in a few words: oneself as “you”, and those whom nobody named as a number. */
export function namesOf(
  users: readonly string[],
  count: number,
  me: string,
  names: Names,
  words: Words,
): string {
  const called = users.map((user) => (user === me ? words.you : nameOf(user, names, words)));
  const unnamed = count - users.length;
  return [...called, ...(unnamed > 0 ? [words.others(unnamed)] : [])].join(', ');
}

/** The same colour for the same person everywhere: one of eight, by handle. */
export function toneOf(handle: string): number {
  let hash = 0;
  for (const char of handle) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  return hash % 8;
}

export function initialOf(name: string): string {
  const [first = '?'] = oneLine(name).trim();
  return first.toUpperCase();
}
