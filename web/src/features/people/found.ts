/** Who is meant by what was typed: the server finds handles, this page also the names that it knows. */
import type { Names } from '../../kit/people.ts';
import type { UserItem } from '../../net/frames.ts';

/** One looks through so many; who is further down is found by another letter. */
const MAX_FOUND = 20;

type Person = Pick<UserItem, 'user' | 'displayName'>;

/** Those whose handle begins so come first, as the server has them. */
export function foundPeople(byHandle: readonly Person[], names: Names, sought: string): Person[] {
  const there = new Set(byHandle.map(({ user }) => user));
  const byName = [...names]
    .filter(([user, name]) => !there.has(user) && isCalled(sought, user, name))
    .map(([user, displayName]) => ({ user, displayName }));
  return [...byHandle.filter(({ user }) => isCalled(sought, user, '')), ...byName].slice(0, MAX_FOUND);
}

/** Whether this is the beginning of a handle, or of a word of a name. */
export function isCalled(sought: string, handle: string, name: string): boolean {
  const begun = sought.trim().replace(/^@/, '').toLowerCase();
  const lower = name.toLowerCase();
  return (
    handle.startsWith(begun) ||
    lower.startsWith(begun) ||
    lower.split(/\s+/u).some((word) => word.startsWith(begun))
  );
}
