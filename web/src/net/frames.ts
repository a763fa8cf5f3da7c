/**
 * The frames of the socket (PROTOCOL §2 to §6), as far as direct conversations need them.
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
  | BlockFrame
  | { type: 'marker'; seq: number; position: string; conversation: string; user: string; read: number }
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

/** What edits, deletions and reactions have in common. */
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
  read: number;
  markers: { user: string; read: number; delivered: number }[];
  lastActivity: string;
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
  };
}

export function decodeVersionItem(value: unknown): VersionItem {
  const from = record(value, 'version');
  return { seq: whole(from, 'seq'), text: optionalText(from, 'text') ?? '', at: text(from, 'at') };
}

export function decodeConversationItem(value: unknown): ConversationItem {
  const from = record(value, 'conversation');
  const last = from.last_message;
  return {
    conversation: text(from, 'conversation'),
    kind: text(from, 'kind'),
    participants: optionalTexts(from, 'participants') ?? [],
    lastMessage: last === undefined || last === null ? null : decodeMessageItem(last),
    unread: whole(from, 'unread'),
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
