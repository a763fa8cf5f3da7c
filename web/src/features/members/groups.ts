/** The people of a room as they are listed: by role, and by name within it. */
import type { Names } from '../../kit/people.ts';
import type { Role } from '../../net/frames.ts';
import { ROLES } from '../../store/members.ts';
import { isCalled } from '../people/found.ts';

export interface Group {
  role: Role;
  people: readonly string[];
}

/** Those whose handle, or a word of whose name, begins so; groups without anybody are left out. */
export function groupsOf(
  people: ReadonlyMap<string, Role>,
  names: Names,
  sought: string,
  locale: string | undefined,
): Group[] {
  const { compare } = new Intl.Collator(locale, { sensitivity: 'base' });
  const called = (user: string) => names.get(user) ?? user;
  const byName = (a: string, b: string) => compare(called(a), called(b)) || (a < b ? -1 : 1);
  const found = [...people].filter(([user]) => isCalled(sought, user, called(user)));
  return ROLES.map((role) => ({
    role,
    people: found
      .filter(([, other]) => other === role)
      .map(([user]) => user)
      .sort(byName),
  })).filter(({ people }) => people.length > 0);
}
