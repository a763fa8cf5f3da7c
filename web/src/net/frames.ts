/**
 * The frames of the socket (PROTOCOL §2 to §6), and the types of all that this page reads of Natter.
 *
 * Unknown fields are dropped and unknown types become `other` (FRM2), so that a newer server can talk to this
 * page; an `other` that carries a position still moves it, because the session is complete up to there.
 */
import * as messages from './wire/decode/messages.ts';
import * as people from './wire/decode/people.ts';
import * as rooms from './wire/decode/rooms.ts';
import * as session from './wire/decode/session.ts';
import type * as Wire from './wire/generated.ts';
import {
  type JsonRecord,
  Malformed,
  maybe,
  OfLaterVersion,
  type Read,
  type Reader,
  record,
  text,
} from './wire/read.ts';

export type {
  MessageItem,
  PinItem,
  RepliesItem,
  ReplyItem,
  VersionItem,
} from './wire/decode/messages.ts';
export type { Page } from './wire/decode/pages.ts';
export type { BanItem, BlockItem, MemberItem, UserItem } from './wire/decode/people.ts';
export {
  type ConversationItem,
  NO_PREFERENCES,
  type Preferences,
  type RoomFacts,
  type RoomItem,
} from './wire/decode/rooms.ts';
export type {
  ClientFrame,
  PresenceChoice,
  PresenceStatus,
  Role,
  To,
  Toggle as ReactionOp,
  Visibility,
} from './wire/generated.ts';

export const SUBPROTOCOL = 'natter.v1.json';

const FRAMES = {
  welcome: session.welcome,
  caught_up: session.complete,
  ping: session.complete,
  reset: session.reset,
  goodbye: session.goodbye,
  ok: session.ok,
  error: session.error,
  message: messages.message,
  edited: messages.edited,
  deleted: messages.deleted,
  reaction: messages.reaction,
  pin: messages.pin,
  room: rooms.room,
  member: rooms.member,
  preferences: rooms.preferred,
  marker: rooms.marker,
  delivered: rooms.delivered,
  typing: rooms.typing,
  profile: people.profile,
  block: people.block,
  presence: people.presence,
} satisfies { [T in Named]: Reader<Extract<Wire.ServerFrame, { type: T }>, unknown> };

type Named = Exclude<Wire.ServerFrame['type'], 'unknown'>;

type Frame<T extends Named> = { type: T } & Read<(typeof FRAMES)[T]>;

/** Of a type, or with a word, that this page does not know. */
interface OtherFrame {
  type: 'other';
  name: string;
  position?: string | undefined;
}

export type ServerFrame = { [T in Named]: Frame<T> }[Named] | OtherFrame;

export type MessageFrame = Frame<'message'>;
/** The text of `message` is another one now. */
export type EditedFrame = Frame<'edited'>;
/** `message` is shown no more. */
export type DeletedFrame = Frame<'deleted'>;
/** Somebody reacts to `message`, or no longer does. */
export type ReactionFrame = Frame<'reaction'>;
/** `message` is among the conversation's pinned ones, or no longer. */
export type PinFrame = Frame<'pin'>;
/** A room is so now. `id` is of the command that it came of; empty where another frame tells of that. */
export type RoomFrame = Frame<'room'>;
/** Somebody's place in a room is another one now. */
export type MemberFrame = Frame<'member'>;
export type OkFrame = Frame<'ok'>;
export type ErrorFrame = Frame<'error'>;

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

export function encodeFrame(frame: Wire.ClientFrame): string {
  return JSON.stringify(frame);
}

function decodeFrame(from: JsonRecord): ServerFrame {
  const name = text(from.type, 'type');
  const other = (): OtherFrame => ({ type: 'other', name, position: maybe(text)(from.position, 'position') });
  if (!isNamed(name)) return other();
  try {
    // Which reader belongs to which type, the table says.
    return { type: name, ...FRAMES[name](from, name) } as ServerFrame;
  } catch (error) {
    if (error instanceof OfLaterVersion) return other();
    throw error;
  }
}

function isNamed(name: string): name is Named {
  return Object.hasOwn(FRAMES, name);
}
