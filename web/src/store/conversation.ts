/** Folding one conversation. But for `withChanged` everything here gives the same in any order and with repeats. */
import type { ConversationItem, ReplyItem, RoomFacts } from '../net/frames.ts';
import { type MessageChange, withAnsweredChange, withChange } from './changes.ts';
import { beginning } from './reply.ts';
import type { Conversation, Message } from './state.ts';

export function emptyConversation(id: string, participants: readonly string[]): Conversation {
  return {
    id,
    kind: 'direct',
    participants,
    room: null,
    muted: false,
    notices: [],
    messages: [],
    counted: { lastSeq: 0, read: 0, unread: 0, mentions: 0 },
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
    const held = messages[index];
    if (held?.seq === message.seq) {
      if (newer(message.seq)) messages = messages.with(index, message);
      // Live frames do not tell what a message answers.
      else if (held.reply === null && message.reply !== null)
        messages = messages.with(index, { ...held, reply: message.reply });
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

/** Something was done to a message; one that is not here is read as it is then. Those that answer it show it, too. */
export function withChanged(conversation: Conversation, seq: number, change: MessageChange): Conversation {
  const messages = conversation.messages.map((held) => {
    if (held.replyTo === seq) return withAnsweredChange(held, change);
    return held.seq === seq ? withChange(held, change) : held;
  });
  const same = messages.every((message, index) => message === conversation.messages[index]);
  return same ? conversation : { ...conversation, messages };
}

/** The beginning of what a message answers: as it is here, or as history told it; null where nothing is known of it. */
export function answered({ messages }: Conversation, { replyTo, reply }: Message): ReplyItem | null {
  if (replyTo === null) return null;
  const held = messages[insertionIndex(messages, replyTo)];
  if (held?.seq !== replyTo) return reply;
  return { seq: replyTo, sender: held.sender, text: beginning(held.text), deleted: held.deleted };
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
  const { read, unread, mentions } = item;
  const seen = { lastSeq: last?.seq ?? 0, read, unread, mentions };
  const held = conversation.counted;
  const newer = seen.lastSeq > held.lastSeq || (seen.lastSeq === held.lastSeq && seen.read >= held.read);
  let next: Conversation = {
    ...conversation,
    kind: item.kind,
    participants: item.participants.length > 0 ? item.participants : conversation.participants,
    room: item.room === null ? null : factsOf(item.room),
    muted: item.muted,
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
  return countAfterRead(conversation, me, conversation.counted.unread, () => true);
}

/**
 * How many of those mention `me`. History counts also what was said in threads; those can't be opened here, so what
 * only they have to say is not shown once the conversation is read.
 */
export function mentionCount(conversation: Conversation, me: string): number {
  const mentions = countAfterRead(
    conversation,
    me,
    conversation.counted.mentions,
    (message) => message.mentionsRoom || message.mentions.includes(me),
  );
  return Math.min(mentions, unreadCount(conversation, me));
}

/** Of messages of others: what a snapshot counted, less what was read since, and what came since. */
function countAfterRead(
  { counted, messages, read: markers }: Conversation,
  me: string,
  before: number,
  counts: (message: Message) => boolean,
): number {
  const read = markers.get(me) ?? 0;
  const fromOthers = (after: number, upTo: number) =>
    messages.reduce((n, message) => {
      const { seq, sender } = message;
      return sender !== me && seq > after && seq <= upTo && counts(message) ? n + 1 : n;
    }, 0);
  const since = fromOthers(Math.max(counted.lastSeq, read), Number.POSITIVE_INFINITY);
  if (read >= counted.lastSeq) return since;
  return Math.max(0, before - fromOthers(counted.read, read)) + since;
}

/** Lets go of all but the newest messages; the count of the unread stays what it was. */
export function trimmed(conversation: Conversation, me: string, keep: number): Conversation {
  const { messages } = conversation;
  if (messages.length <= keep) return conversation;
  const read = Math.max(conversation.read.get(me) ?? 0, conversation.counted.read);
  const lastSeq = messages.at(-1)?.seq ?? 0;
  return {
    ...conversation,
    counted: {
      ...{ lastSeq, read },
      ...{ unread: unreadCount(conversation, me), mentions: mentionCount(conversation, me) },
    },
    messages: messages.slice(-keep),
    older: true,
  };
}

export type Receipt = 'sent' | 'delivered' | 'read';

/** How far a message of mine has come: to all others, or not yet. In a room that is nobody's to know. */
export function receiptOf(conversation: Conversation, seq: number, me: string): Receipt {
  if (conversation.kind === 'room') return 'sent';
  const others = conversation.participants.filter((user) => user !== me);
  if (others.length === 0) return 'read';
  if (others.every((user) => (conversation.read.get(user) ?? 0) >= seq)) return 'read';
  const reached = (user: string) =>
    Math.max(conversation.read.get(user) ?? 0, conversation.delivered.get(user) ?? 0);
  return others.every((user) => reached(user) >= seq) ? 'delivered' : 'sent';
}

function factsOf({ name, topic, visibility, archived }: RoomFacts): RoomFacts {
  return { name, topic, visibility, archived };
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
