/** The rows of the list of conversations, the one with the newest activity first. */
import { NO_PREFERENCES, type Preferences } from '../../net/frames.ts';
import { withPendingRoom } from '../../outbox/pending.ts';
import type { Entry, SendEntry } from '../../outbox/queue.ts';
import { type Conversation, directKey, isExplained, keyOf, peopleOfKey, roomKey } from '../../store/state.ts';

export interface Row {
  key: string;
  /** The other people of a direct conversation. */
  others: string[];
  conversation: Conversation | null;
  waiting: SendEntry | undefined;
  /** How this person wants it to be treated, as it will be once all that waits has left. */
  preferences: Readonly<Preferences>;
  activity: string;
}

/** Rooms, and the conversations that have something in them, also those that exist so far only in the outbox. */
export function rowsOf(
  conversations: ReadonlyMap<string, Conversation>,
  entries: readonly Entry[],
  me: string,
): Row[] {
  const rows = new Map<string, Row>();
  for (const conversation of conversations.values()) {
    if (!isExplained(conversation)) continue;
    const key = keyOf(conversation);
    rows.set(key, heldRow(key, conversation, me));
  }
  for (const entry of entries) {
    if (entry.kind === 'prefer' && entry.status !== 'failed') {
      const asked = conversations.get(entry.to.conversation);
      const row = asked && rows.get(keyOf(asked));
      if (row !== undefined) rows.set(row.key, { ...row, preferences: entry.preferences });
    }
    if (entry.kind === 'update' || entry.kind === 'archive') {
      const row = rows.get(roomKey(entry.to.conversation));
      if (row !== undefined) rows.set(row.key, withRoomAsAsked(row, entry));
    }
    // What is said in threads stands beside the conversation.
    if (entry.kind !== 'send' || entry.thread !== undefined) continue;
    const { to } = entry;
    const held = 'conversation' in to ? conversations.get(to.conversation) : undefined;
    const key =
      'participants' in to ? directKey(to.participants) : held && isExplained(held) ? keyOf(held) : null;
    if (key === null) continue;
    const row = rows.get(key) ?? rowOf(key, null, me);
    const written = new Date(entry.composedAt).toISOString();
    rows.set(key, { ...row, waiting: entry, activity: written > row.activity ? written : row.activity });
  }
  return [...rows.values()].sort((a, b) => (a.activity < b.activity ? 1 : a.activity > b.activity ? -1 : 0));
}

/** The room is called what it will be once this has left. */
function withRoomAsAsked(row: Row, entry: Entry): Row {
  const { conversation } = row;
  if (conversation === null || conversation.room === null) return row;
  const room = withPendingRoom(conversation.room, [entry], conversation.id);
  return { ...row, conversation: { ...conversation, room } };
}

const made = new WeakMap<Conversation, { me: string; row: Row }>();

/** The same row for as long as nothing of its conversation changes. */
function heldRow(key: string, conversation: Conversation, me: string): Row {
  const known = made.get(conversation);
  if (known?.me === me) return known.row;
  const row = rowOf(key, conversation, me);
  made.set(conversation, { me, row });
  return row;
}

function rowOf(key: string, conversation: Conversation | null, me: string): Row {
  return {
    key,
    others: peopleOfKey(key).filter((user) => user !== me),
    conversation,
    waiting: undefined,
    preferences: conversation?.preferences ?? NO_PREFERENCES,
    activity: conversation?.lastActivity ?? '',
  };
}
