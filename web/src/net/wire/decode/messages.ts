/** What is said, and what is done to it (PROTOCOL §4, §7). */
import type * as Wire from '../generated.ts';
import {
  isSet,
  knownWord,
  list,
  maybe,
  object,
  or,
  orNull,
  type Read,
  text,
  texts,
  unused,
  whole,
} from '../read.ts';

const toggle = knownWord<Wire.Toggle>(['add', 'remove']);

/** Where in the log an event is, and in which conversation. */
export const placed = { seq: whole, position: text, conversation: text, at: text };

export const message = object<Wire.Message>()({
  ...placed,
  participants: maybe(texts),
  sender: text,
  id: text,
  text,
  reply_to: orNull(whole),
  thread: orNull(whole),
  mentions: or(texts, []),
  mentions_room: isSet,
  metadata: unused,
});

export const edited = object<Wire.Edited>()({ ...placed, message: whole, by: text, id: or(text, ''), text });

export const deleted = object<Wire.Deleted>()({ ...placed, message: whole, by: text, id: or(text, '') });

export const reaction = object<Wire.Reaction>()({
  ...placed,
  message: whole,
  user: text,
  id: or(text, ''),
  emoji: text,
  op: toggle,
});

export const pin = object<Wire.Pinned>()({
  ...placed,
  message: whole,
  by: text,
  id: or(text, ''),
  op: toggle,
});

/** Who reacts with one emoji, in the order in which they did. The server may name fewer people than there are. */
const reactionItem = object<Wire.ReactionItem>()({ emoji: text, users: texts, count: whole });
const replyItem = object<Wire.ReplyItem>()({
  seq: whole,
  sender: or(text, ''),
  text: or(text, ''),
  deleted: isSet,
});
const repliesItem = object<Wire.RepliesItem>()({ count: whole, last_at: text, unread: maybe(whole) });

export const messageItem = object<Wire.MessageItem>()({
  seq: whole,
  conversation: text,
  sender: or(text, ''),
  id: or(text, ''),
  text: or(text, ''),
  at: text,
  edited_at: orNull(text),
  deleted: isSet,
  reactions: or(list(reactionItem), []),
  reply_to: orNull(whole),
  reply: orNull(replyItem),
  thread: orNull(whole),
  replies: orNull(repliesItem),
  mentions: or(texts, []),
  mentions_room: isSet,
  pinned: isSet,
  metadata: unused,
});

export const pinItem = object<Wire.PinItem>()({ message: messageItem, by: or(text, ''), at: text });

export const versionItem = object<Wire.VersionItem>()({ seq: whole, text: or(text, ''), at: text });

/** One message as history has it (HST3). A deleted one, or one whose author was erased, has no text. */
export type MessageItem = Read<typeof messageItem>;
/** The beginning of what a message answers, where that may be read. */
export type ReplyItem = Read<typeof replyItem>;
/** What was said in a message's own thread; `unread` where this person takes part in it. */
export type RepliesItem = Read<typeof repliesItem>;
export type PinItem = Read<typeof pinItem>;
/** What a message said from some moment on. */
export type VersionItem = Read<typeof versionItem>;
