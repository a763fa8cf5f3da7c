/** Folding one conversation. But for `withChangedLast` all of it gives the same in any order and with repeats. */
import type { ConversationItem, RoomFacts } from '../net/frames.ts';
import type { MessageChange } from './changes.ts';
import type { Conversation, Message, State } from './state.ts';
import { withChangeOf } from './timeline.ts';
import { withCounted, withOther, withoutMention } from './unread.ts';

/**
 * Messages that were said outside of threads. One is its seq: the last one stays as it is here, but where one that
 * arrives is `newer`. Sending reads up to itself.
 */
export function withSaid(
  conversation: Conversation,
  arriving: readonly Message[],
  me: string,
  newer: (seq: number) => boolean = () => false,
): Conversation {
  let { last, tally, read, lastActivity } = conversation;
  for (const message of arriving) {
    const { seq, sender, at } = message;
    if (last === null || seq > last.seq || (seq === last.seq && newer(seq))) last = message;
    tally = withOther(tally, message, me, read.get(me) ?? 0);
    read = raised(read, sender, seq);
    if (at > lastActivity) lastActivity = at;
  }
  const same = last === conversation.last && tally === conversation.tally && read === conversation.read;
  return same && lastActivity === conversation.lastActivity
    ? conversation
    : { ...conversation, last, tally, read, lastActivity };
}

/** Something was done to a message. */
export function withChangedLast(
  conversation: Conversation,
  seq: number,
  change: MessageChange,
): Conversation {
  const last = conversation.last && withChangeOf(conversation.last, seq, change);
  const tally = change.type === 'deleted' ? withoutMention(conversation.tally, seq) : conversation.tally;
  return last === conversation.last && tally === conversation.tally
    ? conversation
    : { ...conversation, last, tally };
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

/** A row of the list, true at some position. */
export function withItem(conversation: Conversation, item: ConversationItem, me: string): Conversation {
  const { read, unread, mentions } = item;
  let next: Conversation = {
    ...conversation,
    listed: true,
    kind: item.kind,
    participants: item.participants.length > 0 ? item.participants : conversation.participants,
    room: item.room === null ? null : factsOf(item.room),
    role: item.room?.role ?? null,
    memberCount: item.room?.members ?? 0,
    preferences: item.preferences,
    tally: withCounted(conversation.tally, { lastSeq: item.lastMessage?.seq ?? 0, read, unread, mentions }),
    lastActivity:
      item.lastActivity > conversation.lastActivity ? item.lastActivity : conversation.lastActivity,
  };
  next = withRead(next, me, item.read);
  for (const marker of item.markers) {
    next = withDelivered(withRead(next, marker.user, marker.read), marker.user, marker.delivered);
  }
  return next;
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

/** Whether what this person said last somewhere did not come to all others, as far as it was told. */
export function hasUndelivered({ conversations, me }: State): boolean {
  return [...conversations.values()].some(
    (one) => one.kind === 'direct' && one.last?.sender === me && receiptOf(one, one.last.seq, me) === 'sent',
  );
}

function factsOf({ name, topic, visibility, archived, owners }: RoomFacts): RoomFacts {
  return { name, topic, visibility, archived, owners };
}

function raised(
  markers: ReadonlyMap<string, number>,
  user: string,
  seq: number,
): ReadonlyMap<string, number> {
  return seq > (markers.get(user) ?? 0) ? new Map(markers).set(user, seq) : markers;
}
