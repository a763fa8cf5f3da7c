/** What waits in the outbox, as if it had happened: shown at once, and taken back where the server refuses it. */
import { type MessageChange, withChange } from '../store/changes.ts';
import type { Message } from '../store/state.ts';
import type { ChangeEntry, Entry } from './queue.ts';

export function isChange(entry: Entry): entry is ChangeEntry {
  return entry.kind !== 'send';
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

/** The message as it will be once these are in the log. What failed did not happen. */
export function withPending(message: Message, entries: readonly ChangeEntry[], me: string): Message {
  return entries
    .filter(({ status }) => status !== 'failed')
    .reduce(
      (so, entry) => withChange(so, changeOfEntry(entry, me, new Date(entry.composedAt).toISOString())),
      message,
    );
}
