/** What one may do with somebody in a room, as the server decides it: nobody is offered what would be refused. */
import type { Role } from '../../net/frames.ts';
import { may, mayRemove } from '../../net/rights.ts';
import { ROLES } from '../../store/members.ts';

export type MemberDeed = { what: 'make'; role: Role } | { what: 'remove' | 'ban' };

export interface Standing {
  /** What this person is in the room. */
  mine: Role | null;
  /** What the other one is. */
  theirs: Role;
  isMe: boolean;
  /** How many owners the room has: the last one stays. */
  owners: number;
}

export function deedsOn({ mine, theirs, isMe, owners }: Standing): MemberDeed[] {
  const deeds: MemberDeed[] = [];
  const stays = theirs === 'owner' && owners <= 1;
  if (may(mine, 'setRole') && !stays) {
    for (const role of ROLES) if (role !== theirs) deeds.push({ what: 'make', role });
  }
  if (!isMe && mayRemove(mine, theirs) && !stays) deeds.push({ what: 'remove' }, { what: 'ban' });
  return deeds;
}
