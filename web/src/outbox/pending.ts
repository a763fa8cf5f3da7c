/** What waits in the outbox, as if it had happened: shown at once, and taken back where the server refuses it. */
import type { Preferences, Role, RoomFacts } from '../net/frames.ts';
import { withChange } from '../store/changes.ts';
import type { Message } from '../store/state.ts';
import { isAbout, messageChangeOf } from './commands/commands.ts';
import type { ChangeEntry, Entry, MembershipEntry, RoomEntry } from './queue.ts';

export function isChange(entry: Entry): entry is ChangeEntry {
  return isAbout(entry, 'message');
}

export function isOfRoom(entry: Entry): entry is RoomEntry {
  return isAbout(entry, 'room');
}

export function isMembership(entry: Entry): entry is MembershipEntry {
  return isAbout(entry, 'membership');
}

/** How much of it is said, and how much is done to what was said or between people. */
export function countsOf(entries: readonly Entry[]): { messages: number; changes: number } {
  const messages = entries.filter(({ kind }) => kind === 'send').length;
  return { messages, changes: entries.length - messages };
}

/** What this person last asked for about `user`, if it is not in the log yet; what failed did not happen. */
export function pendingBlock(entries: readonly Entry[], user: string): boolean | undefined {
  const last = entries.findLast((entry) => entry.kind === 'block' && entry.user === user && counts(entry));
  return last?.kind === 'block' ? last.blocked : undefined;
}

/** How this person last asked for a conversation to be treated, if it is not in the log yet. */
export function pendingPreferences(entries: readonly Entry[], conversation: string): Preferences | undefined {
  const last = entries.findLast(
    (entry) => entry.kind === 'prefer' && entry.to.conversation === conversation && counts(entry),
  );
  return last?.kind === 'prefer' ? last.preferences : undefined;
}

/** The name that this person last gave themselves, if it is not in the log yet; empty is none. */
export function pendingName(entries: readonly Entry[]): string | undefined {
  const last = entries.findLast((entry) => entry.kind === 'profile' && counts(entry));
  return last?.kind === 'profile' ? last.displayName : undefined;
}

/** The room as it will be once these are in the log. */
export function withPendingRoom(
  facts: RoomFacts,
  entries: readonly Entry[],
  conversation: string,
): RoomFacts {
  const changes = entries.flatMap((entry) => {
    if ((entry.kind !== 'archive' && entry.kind !== 'update') || entry.to.conversation !== conversation)
      return [];
    if (!counts(entry)) return [];
    return [entry.kind === 'archive' ? { archived: true } : entry.changes];
  });
  return changes.length === 0 ? facts : Object.assign({ ...facts }, ...changes);
}

/** Who is what in a room once these are in the log. */
export function withPendingMembers(
  people: ReadonlyMap<string, Role>,
  entries: readonly MembershipEntry[],
): ReadonlyMap<string, Role> {
  const next = new Map(people);
  for (const entry of entries.filter(counts)) {
    const { user } = entry;
    if (entry.kind === 'add' && !next.has(user)) next.set(user, 'member');
    if (entry.kind === 'remove' || entry.kind === 'ban') next.delete(user);
    if (entry.kind === 'role' && next.has(user)) next.set(user, entry.role);
  }
  return next;
}

/** The message as it will be once these are in the log. What failed did not happen. */
export function withPending(message: Message, entries: readonly ChangeEntry[], me: string): Message {
  return entries
    .filter(counts)
    .reduce(
      (so, entry) => withChange(so, messageChangeOf(entry, me, new Date(entry.composedAt).toISOString())),
      message,
    );
}

function counts({ status }: Entry): boolean {
  return status !== 'failed';
}
