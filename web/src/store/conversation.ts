/** Folding one conversation. But for `withChanged` everything here gives the same in any order and with repeats. */
import type { ConversationItem } from '../net/frames.ts';
import { type MessageChange, withChange } from './changes.ts';
import type { Conversation, Message } from './state.ts';

export function emptyConversation(id: string, participants: readonly string[]): Conversation {
  return {
    id,
    kind: 'direct',
    participants,
    messages: [],
    counted: { lastSeq: 0, read: 0, unread: 0 },
    read: new Map(),
    delivered: new Map(),
    lastActivity: '',
    older: null,
  };
}

/**
 * A message is its seq: taken in once, wherever it comes from, but for one that is `newer` than what is here. Sending
 * reads up to itself.
 */
export function withMessages(
  conversation: Conversation,
  arriving: readonly Message[],
  newer: (seq: number) => boolean = () => false,
): Conversation {
  let { messages, read, lastActivity } = conversation;
  for (const message of arriving) {
    const index = insertionIndex(messages, message.seq);
    if (messages[index]?.seq === message.seq) {
      if (newer(message.seq)) messages = messages.with(index, message);
      continue;
    }
    messages = index === messages.length ? [...messages, message] : messages.toSpliced(index, 0, message);
    read = raised(read, message.sender, message.seq);
    if (message.at > lastActivity) lastActivity = message.at;
  }
  return messages === conversation.messages
    ? conversation
    : { ...conversation, messages, read, lastActivity };
}

/** Something was done to a message; one that is not here is read as it is then. */
export function withChanged(conversation: Conversation, seq: number, change: MessageChange): Conversation {
  const { messages } = conversation;
  const index = insertionIndex(messages, seq);
  const held = messages[index];
  if (held?.seq !== seq) return conversation;
  const next = withChange(held, change);
  return next === held ? conversation : { ...conversation, messages: messages.with(index, next) };
}

/** `read` never goes back. */
export function withRead(conversation: Conversation, user: string, seq: number): Conversation {
  const read = raised(conversation.read, user, seq);
  return read === conversation.read ? conversation : { ...conversation, read };
}

export function withDelivered(conversation: Conversation, user: string, seq: number): Conversation {
  const delivered = raised(conversation.delivered, user, seq);
  return delivered === conversation.delivered ? conversation : { ...conversation, delivered };
}

/**
 * A row of the list, true at some position. Positions can't be compared, but what a row counts is told by its last
 * message and the caller's marker: of two rows the one that has seen more of either wins.
 */
export function withItem(conversation: Conversation, item: ConversationItem, me: string): Conversation {
  const last = item.lastMessage;
  const seen = { lastSeq: last?.seq ?? 0, read: item.read, unread: item.unread };
  const held = conversation.counted;
  const newer = seen.lastSeq > held.lastSeq || (seen.lastSeq === held.lastSeq && seen.read >= held.read);
  let next: Conversation = {
    ...conversation,
    kind: item.kind,
    participants: item.participants.length > 0 ? item.participants : conversation.participants,
    counted: newer ? seen : held,
    lastActivity:
      item.lastActivity > conversation.lastActivity ? item.lastActivity : conversation.lastActivity,
  };
  next = withRead(next, me, item.read);
  for (const marker of item.markers) {
    next = withDelivered(withRead(next, marker.user, marker.read), marker.user, marker.delivered);
  }
  return next;
}

/** How many messages of others come after what `me` has read. */
export function unreadCount(conversation: Conversation, me: string): number {
  const { counted, messages } = conversation;
  const read = conversation.read.get(me) ?? 0;
  const fromOthers = (after: number, upTo: number) =>
    messages.reduce((n, { seq, sender }) => (sender !== me && seq > after && seq <= upTo ? n + 1 : n), 0);
  const since = fromOthers(Math.max(counted.lastSeq, read), Number.POSITIVE_INFINITY);
  if (read >= counted.lastSeq) return since;
  return Math.max(0, counted.unread - fromOthers(counted.read, read)) + since;
}

/** Lets go of all but the newest messages; the count of the unread stays what it was. */
export function trimmed(conversation: Conversation, me: string, keep: number): Conversation {
  const { messages } = conversation;
  if (messages.length <= keep) return conversation;
  const read = Math.max(conversation.read.get(me) ?? 0, conversation.counted.read);
  const lastSeq = messages.at(-1)?.seq ?? 0;
  return {
    ...conversation,
    counted: { lastSeq, read, unread: unreadCount(conversation, me) },
    messages: messages.slice(-keep),
    older: true,
  };
}

export type Receipt = 'sent' | 'delivered' | 'read';

/** How far a message of mine has come: to all others, or not yet. */
export function receiptOf(conversation: Conversation, seq: number, me: string): Receipt {
  const others = conversation.participants.filter((user) => user !== me);
  if (others.length === 0) return 'read';
  if (others.every((user) => (conversation.read.get(user) ?? 0) >= seq)) return 'read';
  const reached = (user: string) =>
    Math.max(conversation.read.get(user) ?? 0, conversation.delivered.get(user) ?? 0);
  return others.every((user) => reached(user) >= seq) ? 'delivered' : 'sent';
}

function raised(
  markers: ReadonlyMap<string, number>,
  user: string,
  seq: number,
): ReadonlyMap<string, number> {
  return seq > (markers.get(user) ?? 0) ? new Map(markers).set(user, seq) : markers;
}

function insertionIndex(messages: readonly Message[], seq: number): number {
  let low = 0;
  let high = messages.length;
  // Nearly always it is the newest.
  if (high === 0 || (messages[high - 1]?.seq ?? 0) < seq) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((messages[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
