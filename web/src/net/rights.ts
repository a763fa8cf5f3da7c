/** Who may do what in a room: the server's own table, so that nobody is offered what would be refused. */
import { RIGHTS, type Role } from './wire/generated.ts';

export type Action = keyof typeof RIGHTS;

const RANK: Record<Role, number> = { member: 0, moderator: 1, owner: 2 };

/** Whether whoever is this in a room may; null is nobody there. */
export function may(role: Role | null, action: Action): boolean {
  return role !== null && RANK[role] >= RANK[RIGHTS[action]];
}

/** Whether they may remove or ban somebody who is `other` there; null for one who is not in it. */
export function mayRemove(role: Role | null, other: Role | null): boolean {
  switch (other) {
    case null:
      return may(role, 'banStranger');
    case 'member':
      return may(role, 'removeMember');
    case 'moderator':
      return may(role, 'removeModerator');
    case 'owner':
      return may(role, 'removeOwner');
  }
}
