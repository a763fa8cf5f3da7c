/** Rooms, who is in them, and the list of conversations (PROTOCOL §4, §7). */
import type * as Wire from '../generated.ts';
import {
  isSet,
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
  word,
} from '../read.ts';
import { messageItem, placed } from './messages.ts';

/** A role of a later version may as little as the lowest one. */
export const role = word<Wire.Role>(['member', 'moderator', 'owner'], 'member');
/** What a later version may call a room that is not public: nobody is told that they would find it. */
const visibility = word<Wire.Visibility>(['public', 'private'], 'private');
const notify = word<Wire.Notify>(['all', 'mentions', 'nothing'], 'all');

const facts = { name: text, topic: or(text, ''), visibility, archived: isSet, owners: or(texts, []) };
const preferenceFields = { muted: isSet, starred: isSet, hidden: isSet, notify: or(notify, 'all') };

export const room = object<Wire.Room>()({ ...placed, ...facts, by: text, id: or(text, '') });

export const member = object<Wire.Member>()({
  ...placed,
  user: text,
  /** `joined left removed banned unbanned role`, or what a later server has. */
  change: text,
  role: maybe(role),
  by: text,
  id: or(text, ''),
});

export const preferred = object<Wire.Preferred>()({
  ...placed,
  at: unused,
  id: or(text, ''),
  ...preferenceFields,
});

export const marker = object<Wire.Marker>()({
  ...placed,
  user: text,
  read: whole,
  /** The thread that was read, rather than the conversation. */
  thread: orNull(whole),
});

export const delivered = object<Wire.Delivered>()({ conversation: text, user: text, upto: whole });

export const typing = object<Wire.TypingNow>()({ conversation: text, user: text });

export const roomItem = object<Wire.RoomItem>()({
  conversation: text,
  ...facts,
  members: or(whole, 0),
  role: orNull(role),
});

const preferences = object<Wire.Preferences>()(preferenceFields);
const reader = object<Wire.Reader>()({ user: text, read: or(whole, 0), delivered: or(whole, 0) });

/** What holds of a conversation of which this person never said anything. */
export const NO_PREFERENCES: Preferences = { muted: false, starred: false, hidden: false, notify: 'all' };

export const conversationItem = object<Wire.ConversationItem>()({
  conversation: text,
  kind: text,
  participants: or(texts, []),
  last_message: orNull(messageItem),
  last_activity: text,
  unread: whole,
  /** Of those, and of what was said in threads, how many mention this person. */
  mentions: or(whole, 0),
  read: or(whole, 0),
  markers: or(list(reader), []),
  preferences: or(preferences, NO_PREFERENCES),
  room: orNull(roomItem),
});

export type Preferences = Read<typeof preferences>;
/** A room, as the directory and the list of conversations have it; its `role` is null where this person is not in it. */
export type RoomItem = Read<typeof roomItem>;
/** What a room is called, who finds it and whose it is. */
export type RoomFacts = Pick<RoomItem, keyof typeof facts>;
export type ConversationItem = Read<typeof conversationItem>;
