/** What waits in the outbox, as if it had happened: shown at once, and taken back where the server refuses it. */
import { type MessageChange, withChange } from '../store/changes.ts';
import type { Message } from '../store/state.ts';
import type { ChangeEntry, Entry, RoomEntry } from './queue.ts';

export function isChange(entry: Entry): entry is ChangeEntry {
  return entry.kind === 'edit' || entry.kind === 'delete' || entry.kind === 'react';
}

export function isOfRoom(entry: Entry): entry is RoomEntry {
  return entry.kind === 'create' || entry.kind === 'join' || entry.kind === 'leave';
}

export function changeOfEntry(entry: ChangeEntry, me: string, at: string): MessageChange {
  switch (entry.kind) {
    case 'edit':
      return { type: 'edited', by: me, text: entry.text, at };
    case 'delete':
      return { type: 'deleted' };
    case 'react':
      return { type: 'reaction', user: me, emoji: entry.emoji, op: entry.op };
  }
}

/** How much of it is said, and how much is done to what was said or between people. */
export function countsOf(entries: readonly Entry[]): { messages: number; changes: number } {
  const messages = entries.filter(({ kind }) => kind === 'send').length;
  return { messages, changes: entries.length - messages };
}

/** What this person last asked for about `user`, if it is not in the log yet; what failed did not happen. */
export function pendingBlock(entries: readonly Entry[], user: string): boolean | undefined {
  const last = entries.findLast(
    (entry) => entry.kind === 'block' && entry.user === user && entry.status !== 'failed',
  );
  return last?.kind === 'block' ? last.blocked : undefined;
}

/** The message as it will be once these are in the log. What failed did not happen. */
export function withPending(message: Message, entries: readonly ChangeEntry[], me: string): Message {
  return entries
    .filter(({ status }) => status !== 'failed')
    .reduce(
      (so, entry) => withChange(so, changeOfEntry(entry, me, new Date(entry.composedAt).toISOString())),
      message,
    );
}
