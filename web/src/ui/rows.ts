/** The rows of the list of conversations, the one with the newest activity first. */
import type { Entry, SendEntry } from '../outbox/queue.ts';
import { type Conversation, directKey, keyOf, peopleOfKey } from '../store/state.ts';

export interface Row {
  key: string;
  /** The other people of a direct conversation. */
  others: string[];
  conversation: Conversation | null;
  waiting: SendEntry | undefined;
  activity: string;
}

/** Rooms, and the conversations that have something in them, also those that exist so far only in the outbox. */
export function rowsOf(
  conversations: ReadonlyMap<string, Conversation>,
  entries: readonly Entry[],
  me: string,
): Row[] {
  const rows = new Map<string, Row>();
  const rowOf = (key: string, conversation: Conversation | null): Row => ({
    key,
    others: peopleOfKey(key).filter((user) => user !== me),
    conversation,
    waiting: undefined,
    activity: conversation?.lastActivity ?? '',
  });
  for (const conversation of conversations.values()) {
    if (!isExplained(conversation)) continue;
    const key = keyOf(conversation);
    rows.set(key, rowOf(key, conversation));
  }
  for (const entry of entries) {
    if (entry.kind !== 'send') continue;
    const { to } = entry;
    const held = 'conversation' in to ? conversations.get(to.conversation) : undefined;
    const key =
      'participants' in to ? directKey(to.participants) : held && isExplained(held) ? keyOf(held) : null;
    if (key === null) continue;
    const row = rows.get(key) ?? rowOf(key, null);
    const written = new Date(entry.composedAt).toISOString();
    rows.set(key, { ...row, waiting: entry, activity: written > row.activity ? written : row.activity });
  }
  return [...rows.values()].sort((a, b) => (a.activity < b.activity ? 1 : a.activity > b.activity ? -1 : 0));
}

/** Whether it is known whose it is, or what room. */
function isExplained({ room, participants }: Conversation): boolean {
  return room !== null || participants.length > 0;
}
