/**
 * The frames of the socket (PROTOCOL §2 to §6), as far as this page needs them.
 *
 * Unknown fields are dropped and unknown types become `other` (FRM2), so that a newer server can talk to this
 * page; an `other` that carries a position still moves it, because the session is complete up to there.
 */
import {
  flag,
  type JsonRecord,
  list,
  Malformed,
  optionalText,
  optionalTexts,
  optionalWhole,
  record,
  text,
  texts,
  whole,
} from './json.ts';

export const SUBPROTOCOL = 'natter.v1.json';

export interface MessageFrame {
  type: 'message';
  seq: number;
  position: string;
  conversation: string;
  participants?: string[] | undefined;
  sender: string;
  id: string;
  text: string;
  replyTo: number | null;
  /** The message in whose thread it is said. */
  thread: number | null;
  mentions: string[];
  /** It mentions everybody in the room. */
  mentionsRoom: boolean;
  at: string;
}

/** The text of `message` is another one now. */
export interface EditedFrame {
  type: 'edited';
  seq: number;
  position: string;
  conversation: string;
  message: number;
  by: string;
  id: string;
  text: string;
  at: string;
}

/** `message` is shown no more. */
export interface DeletedFrame {
  type: 'deleted';
  seq: number;
  position: string;
  conversation: string;
  message: number;
  by: string;
  id: string;
  at: string;
}

export type ReactionOp = 'add' | 'remove';

/** `message` is among the conversation's pinned ones, or no longer. */
export interface PinFrame {
  type: 'pin';
  seq: number;
  position: string;
  conversation: string;
  message: number;
  by: string;
  id: string;
  op: 'add' | 'remove';
  at: string;
}

export type Visibility = 'public' | 'private';

/** What a room is called and who finds it. */
export interface RoomFacts {
  name: string;
  topic: string;
  visibility: Visibility;
  archived: boolean;
}

/** It is so now. */
export interface RoomFrame extends RoomFacts {
  type: 'room';
  seq: number;
  position: string;
  conversation: string;
  by: string;
  /** Of the command that it came of; empty where another frame tells of that. */
  id: string;
  at: string;
}

/** Somebody's place in a room is another one now. */
export interface MemberFrame {
  type: 'member';
  seq: number;
  position: string;
  conversation: string;
  user: string;
  /** `joined left removed banned unbanned role`, or what a later server has. */
  change: string;
  by: string;
  id: string;
  at: string;
}

/** Somebody reacts to `message`, or no longer does. */
export interface ReactionFrame {
  type: 'reaction';
  seq: number;
  position: string;
  conversation: string;
  message: number;
  user: string;
  id: string;
  emoji: string;
  op: ReactionOp;
  at: string;
}

/** This person blocked `user`, or no longer does. */
export interface BlockFrame {
  type: 'block';
  seq: number;
  position: string;
  user: string;
  blocked: boolean;
  id: string;
  at: string;
}

export interface OkFrame {
  type: 'ok';
  ref: number;
  seq?: number | undefined;
  position?: string | undefined;
  conversation?: string | undefined;
  at?: string | undefined;
  duplicate: boolean;
}

export interface ErrorFrame {
  type: 'error';
  /** Absent where the server could not tell which command it was. */
  ref?: number | undefined;
  code: string;
  message: string;
  temporary: boolean;
  retryAfterMs?: number | undefined;
}

export type PresenceStatus = 'online' | 'away' | 'busy' | 'offline';

export type ServerFrame =
  | { type: 'welcome'; user: string; session: string; now: string; position: string; heartbeatMs: number }
  | { type: 'caught_up'; position: string }
  | { type: 'reset'; reason: string; position: string }
  | { type: 'ping'; position: string }
  | { type: 'goodbye'; reconnectAfterMs: number }
  | OkFrame
  | ErrorFrame
  | MessageFrame
  | EditedFrame
  | DeletedFrame
  | ReactionFrame
  | PinFrame
  | RoomFrame
  | MemberFrame
  | BlockFrame
  | { type: 'profile'; position?: string | undefined; user: string; displayName: string }
  | { type: 'preferences'; seq: number; position: string; conversation: string; muted: boolean }
  | {
      type: 'marker';
      seq: number;
      position: string;
      conversation: string;
      user: string;
      read: number;
      /** The thread that was read, rather than the conversation. */
      thread: number | null;
    }
  | {
      type: 'presence';
      user: string;
      status: PresenceStatus;
      text?: string | undefined;
      lastSeen?: string | undefined;
    }
  | { type: 'delivered'; conversation: string; user: string; upto: number }
  | { type: 'typing'; conversation: string; user: string }
  | { type: 'other'; name: string; position?: string | undefined };

export type To = { participants: string[] } | { conversation: string };

export type ClientFrame =
  | { type: 'hello'; token: string; client: string; resume?: string }
  | { type: 'token'; token: string }
  | { type: 'pong'; position: string }
  | { type: 'applied'; position: string }
  | { type: 'send'; ref: number; id: string; to: To; text: string }
  | { type: 'edit'; ref: number; id: string; conversation: string; message: number; text: string }
  | { type: 'delete'; ref: number; id: string; conversation: string; message: number }
  | {
      type: 'react';
      ref: number;
      id: string;
      conversation: string;
      message: number;
      emoji: string;
      op: ReactionOp;
    }
  | { type: 'block' | 'unblock'; ref: number; id: string; user: string }
  | { type: 'room.create'; ref: number; id: string; name: string; visibility: Visibility }
  | { type: 'room.join' | 'room.leave'; ref: number; id: string; conversation: string }
  | { type: 'mark'; ref: number; id: string; conversation: string; read: number }
  | { type: 'typing'; ref: number; conversation: string }
  | { type: 'watch'; ref: number; users: string[] };

/** FRM1: every frame of one text message, in order. Throws `Malformed`; the frames before the fault are in it. */
export function decodeFrames(data: string): ServerFrame[] {
  const frames: ServerFrame[] = [];
  for (const line of data.split('\n')) {
    if (line.trim() === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw new MalformedFrames('not JSON', frames);
    }
    try {
      frames.push(decodeFrame(record(value, 'frame')));
    } catch (error) {
      if (error instanceof Malformed) throw new MalformedFrames(error.message, frames);
      throw error;
    }
  }
  return frames;
}

export class MalformedFrames extends Malformed {
  /** What came before the fault in the same message, and is good. */
  readonly before: ServerFrame[];
  constructor(message: string, before: ServerFrame[]) {
    super(message);
    this.before = before;
  }
}

export function encodeFrame(frame: ClientFrame): string {
  return JSON.stringify(frame);
}

function decodeFrame(from: JsonRecord): ServerFrame {
  const type = text(from, 'type');
  switch (type) {
    case 'welcome':
      return {
        type,
        user: text(from, 'user'),
        session: text(from, 'session'),
        now: text(from, 'now'),
        position: text(from, 'position'),
        heartbeatMs: whole(from, 'heartbeat_ms'),
      };
    case 'caught_up':
    case 'ping':
      return { type, position: text(from, 'position') };
    case 'reset':
      return { type, reason: text(from, 'reason'), position: text(from, 'position') };
    case 'goodbye':
      return { type, reconnectAfterMs: whole(from, 'reconnect_after_ms') };
    case 'ok':
      return {
        type,
        ref: whole(from, 'ref'),
        seq: optionalWhole(from, 'seq'),
        position: optionalText(from, 'position'),
        conversation: optionalText(from, 'conversation'),
        at: optionalText(from, 'at'),
        duplicate: from.duplicate === true,
      };
    case 'error':
      return {
        type,
        ref: optionalWhole(from, 'ref'),
        code: text(from, 'code'),
        message: optionalText(from, 'message') ?? '',
        temporary: from.temporary === true,
        retryAfterMs: optionalWhole(from, 'retry_after_ms'),
      };
    case 'message':
      return {
        type,
        seq: whole(from, 'seq'),
        position: text(from, 'position'),
        conversation: text(from, 'conversation'),
        participants: optionalTexts(from, 'participants'),
        sender: text(from, 'sender'),
        id: text(from, 'id'),
        text: text(from, 'text'),
        ...decodeRelations(from),
        at: text(from, 'at'),
      };
    case 'edited':
      return { type, ...decodeChange(from), by: text(from, 'by'), text: text(from, 'text') };
    case 'deleted':
      return { type, ...decodeChange(from), by: text(from, 'by') };
    case 'reaction': {
      const op = text(from, 'op');
      // What else may be done to a reaction is of a later version (FRM2).
      if (op !== 'add' && op !== 'remove')
        return { type: 'other', name: type, position: text(from, 'position') };
      return { type, ...decodeChange(from), user: text(from, 'user'), emoji: text(from, 'emoji'), op };
    }
    case 'pin': {
      const op = text(from, 'op');
      if (op !== 'add' && op !== 'remove')
        return { type: 'other', name: type, position: text(from, 'position') };
      return { type, ...decodeChange(from), by: text(from, 'by'), op };
    }
    case 'room':
      return { type, ...decodeOfRoom(from), ...decodeRoomFacts(from) };
    case 'member':
      return { type, ...decodeOfRoom(from), user: text(from, 'user'), change: text(from, 'change') };
    case 'profile': {
      const user = text(from, 'user');
      const displayName = optionalText(from, 'display_name') || user;
      return { type, position: optionalText(from, 'position'), user, displayName };
    }
    case 'preferences':
      return {
        type,
        seq: whole(from, 'seq'),
        position: text(from, 'position'),
        conversation: text(from, 'conversation'),
        muted: from.muted === true,
      };
    case 'block':
      return {
        type,
        seq: whole(from, 'seq'),
        position: text(from, 'position'),
        user: text(from, 'user'),
        blocked: flag(from, 'blocked'),
        id: optionalText(from, 'id') ?? '',
        at: text(from, 'at'),
      };
    case 'marker':
      return {
        type,
        seq: whole(from, 'seq'),
        position: text(from, 'position'),
        conversation: text(from, 'conversation'),
        user: text(from, 'user'),
        read: whole(from, 'read'),
        thread: optionalWhole(from, 'thread') ?? null,
      };
    case 'presence':
      return {
        type,
        user: text(from, 'user'),
        status: presenceStatus(text(from, 'status')),
        text: optionalText(from, 'text'),
        lastSeen: optionalText(from, 'last_seen'),
      };
    case 'delivered':
      return {
        type,
        conversation: text(from, 'conversation'),
        user: text(from, 'user'),
        upto: whole(from, 'upto'),
      };
    case 'typing':
      return { type, conversation: text(from, 'conversation'), user: text(from, 'user') };
    default:
      return { type: 'other', name: type, position: optionalText(from, 'position') };
  }
}

/** How a message is bound up with others and with people: as it is sent, and as history has it. */
function decodeRelations(from: JsonRecord) {
  return {
    replyTo: optionalWhole(from, 'reply_to') ?? null,
    thread: optionalWhole(from, 'thread') ?? null,
    mentions: optionalTexts(from, 'mentions') ?? [],
    mentionsRoom: from.mentions_room === true,
  };
}

function decodeOfRoom(from: JsonRecord) {
  return {
    seq: whole(from, 'seq'),
    position: text(from, 'position'),
    conversation: text(from, 'conversation'),
    by: text(from, 'by'),
    id: optionalText(from, 'id') ?? '',
    at: text(from, 'at'),
  };
}

/** What a later version may call a room that is not public: nobody is told that they would find it. */
function decodeRoomFacts(from: JsonRecord): RoomFacts {
  return {
    name: text(from, 'name'),
    topic: optionalText(from, 'topic') ?? '',
    visibility: text(from, 'visibility') === 'public' ? 'public' : 'private',
    archived: from.archived === true,
  };
}

/** What edits, deletions, reactions and pins have in common. */
function decodeChange(from: JsonRecord) {
  return {
    seq: whole(from, 'seq'),
    position: text(from, 'position'),
    conversation: text(from, 'conversation'),
    message: whole(from, 'message'),
    id: optionalText(from, 'id') ?? '',
    at: text(from, 'at'),
  };
}

/** A status of a later version counts as being there. */
function presenceStatus(value: string): PresenceStatus {
  return value === 'away' || value === 'busy' || value === 'offline' ? value : 'online';
}

/** One message as history has it (HST3). A deleted one, or one whose author was erased, has no text. */
export interface MessageItem {
  seq: number;
  conversation: string;
  sender: string;
  id: string;
  text: string;
  at: string;
  editedAt: string | null;
  deleted: boolean;
  reactions: ReactionItem[];
  replyTo: number | null;
  /** The beginning of what it answers, where that may be read. */
  reply: ReplyItem | null;
  thread: number | null;
  /** What was said in its own thread. */
  replies: RepliesItem | null;
  mentions: string[];
  mentionsRoom: boolean;
  pinned: boolean;
}

export interface ReplyItem {
  seq: number;
  sender: string;
  text: string;
  deleted: boolean;
}

export interface RepliesItem {
  count: number;
  lastAt: string;
}

/** Who reacts with one emoji, in the order in which they did. The server may name fewer people than there are. */
export interface ReactionItem {
  emoji: string;
  users: string[];
  count: number;
}

/** What a message said from some moment on. */
export interface VersionItem {
  seq: number;
  text: string;
  at: string;
}

export interface ConversationItem {
  conversation: string;
  kind: string;
  participants: string[];
  lastMessage: MessageItem | null;
  unread: number;
  /** Of those, and of what was said in threads, how many mention this person. */
  mentions: number;
  read: number;
  markers: { user: string; read: number; delivered: number }[];
  lastActivity: string;
  muted: boolean;
  room: RoomItem | null;
}

/** A room, as the directory and the list of conversations have it. */
export interface RoomItem extends RoomFacts {
  conversation: string;
  members: number;
  /** What this person is there; null where they are not in it. */
  role: string | null;
}

export interface UserItem {
  user: string;
  displayName: string;
  lastSeen?: string | undefined;
}

export interface Page<T> {
  items: T[];
  next: string | null;
  position: string;
}

export function decodePage<T>(value: unknown, item: (value: unknown) => T): Page<T> {
  const from = record(value, 'page');
  return {
    items: list(from, 'items', item),
    next: optionalText(from, 'next') ?? null,
    position: text(from, 'position'),
  };
}

export function decodeMessageItem(value: unknown): MessageItem {
  const from = record(value, 'message');
  return {
    seq: whole(from, 'seq'),
    conversation: text(from, 'conversation'),
    sender: optionalText(from, 'sender') ?? '',
    id: optionalText(from, 'id') ?? '',
    text: optionalText(from, 'text') ?? '',
    at: text(from, 'at'),
    editedAt: optionalText(from, 'edited_at') ?? null,
    deleted: from.deleted === true,
    reactions:
      from.reactions === undefined || from.reactions === null
        ? []
        : list(from, 'reactions', (reaction) => {
            const of = record(reaction, 'reaction');
            return { emoji: text(of, 'emoji'), users: texts(of, 'users'), count: whole(of, 'count') };
          }),
    ...decodeRelations(from),
    reply: optional(from.reply, decodeReplyItem),
    replies: optional(from.replies, (value) => {
      const of = record(value, 'replies');
      return { count: whole(of, 'count'), lastAt: text(of, 'last_at') };
    }),
    pinned: from.pinned === true,
  };
}

function decodeReplyItem(value: unknown): ReplyItem {
  const from = record(value, 'reply');
  return {
    seq: whole(from, 'seq'),
    sender: optionalText(from, 'sender') ?? '',
    text: optionalText(from, 'text') ?? '',
    deleted: from.deleted === true,
  };
}

export function decodeRoomItem(value: unknown): RoomItem {
  const from = record(value, 'room');
  return {
    conversation: text(from, 'conversation'),
    ...decodeRoomFacts(from),
    members: optionalWhole(from, 'members') ?? 0,
    role: optionalText(from, 'role') ?? null,
  };
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === undefined || value === null ? null : read(value);
}

export function decodeVersionItem(value: unknown): VersionItem {
  const from = record(value, 'version');
  return { seq: whole(from, 'seq'), text: optionalText(from, 'text') ?? '', at: text(from, 'at') };
}

export function decodeConversationItem(value: unknown): ConversationItem {
  const from = record(value, 'conversation');
  return {
    conversation: text(from, 'conversation'),
    kind: text(from, 'kind'),
    participants: optionalTexts(from, 'participants') ?? [],
    lastMessage: optional(from.last_message, decodeMessageItem),
    unread: whole(from, 'unread'),
    mentions: optionalWhole(from, 'mentions') ?? 0,
    read: optionalWhole(from, 'read') ?? 0,
    markers:
      from.markers === undefined || from.markers === null
        ? []
        : list(from, 'markers', (marker) => {
            const of = record(marker, 'marker');
            return {
              user: text(of, 'user'),
              read: optionalWhole(of, 'read') ?? 0,
              delivered: optionalWhole(of, 'delivered') ?? 0,
            };
          }),
    lastActivity: text(from, 'last_activity'),
    muted: optional(from.preferences, (value) => record(value, 'preferences').muted === true) ?? false,
    room: optional(from.room, decodeRoomItem),
  };
}

export function decodeUserItem(value: unknown): UserItem {
  const from = record(value, 'user');
  const user = text(from, 'user');
  return {
    user,
    displayName: optionalText(from, 'display_name') || user,
    lastSeen: optionalText(from, 'last_seen'),
  };
}
