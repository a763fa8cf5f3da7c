/** What this client knows: a projection of frames and history pages that can be thrown away and read again. */
import {
  NO_PREFERENCES,
  type Preferences,
  type PresenceStatus,
  type RepliesItem,
  type ReplyItem,
  type Role,
  type RoomFacts,
} from '../net/frames.ts';
import type { Fault } from '../net/problem.ts';
import type { Card } from './beside.ts';
import type { Block } from './blocks.ts';
import type { Recent } from './changes.ts';
import type { Directory } from './directory.ts';
import type { Listing, ListName } from './listings.ts';
import type { Members } from './members.ts';
import type { Gone, Notice, Told } from './rooms.ts';
import type { Timeline, TimelineKey } from './timeline.ts';
import { type Tally, UNCOUNTED } from './unread.ts';

export interface Message {
  seq: number;
  sender: string;
  /** The client id of the command that sent it; empty where the author was erased. */
  id: string;
  /** As it was said last; empty when it was deleted. */
  text: string;
  at: string;
  editedAt: string | null;
  /** A tombstone: that something was said stays. */
  deleted: boolean;
  reactions: readonly Reaction[];
  /** The message that it answers. */
  replyTo: number | null;
  /** That one's beginning as history told it; what is here of it says more (`answered`). */
  reply: Readonly<ReplyItem> | null;
  /** What was said in its own thread. */
  replies: Replies | null;
  mentions: readonly string[];
  mentionsRoom: boolean;
  pinned: boolean;
}

export interface Replies extends Readonly<RepliesItem> {
  /** The last one that a frame told of; history does not say it. */
  lastSeq?: number;
  /** Of others, and not read yet as far as frames tell: what a later reading of this person takes away. */
  news?: readonly { seq: number; at: string }[];
}

/** Who reacts with one emoji, in the order in which they did. */
export interface Reaction {
  emoji: string;
  users: readonly string[];
  /** All of them; the server may name fewer. */
  count: number;
}

export interface Conversation {
  id: string;
  kind: string;
  /** The people of a direct conversation; those of a room come and go. */
  participants: readonly string[];
  /** What only a room has. */
  room: RoomFacts | null;
  /** What this person is in the room; null where it is none, or they are not in it. */
  role: Role | null;
  /** How many people are in the room, as it was told last; 0 until it is. */
  memberCount: number;
  preferences: Readonly<Preferences>;
  /** What happened in a room while this page was there, by seq. */
  notices: readonly Notice[];
  /** The newest that was said outside of threads, as it now stands; what else was said is in its `Timeline`. */
  last: Message | null;
  /** How many are unread: asked with `unreadCount` and `mentionCount`. */
  tally: Tally;
  read: ReadonlyMap<string, number>;
  delivered: ReadonlyMap<string, number>;
  lastActivity: string;
  /** Whether its row was read: before, what only that tells is as it is at first. */
  listed: boolean;
}

export interface Presence {
  status: PresenceStatus;
  text?: string | undefined;
  lastSeen?: string | undefined;
}

export type Reading = { status: 'loading' } | { status: 'done' } | { status: 'failed'; fault: Fault };

/**
 * What was known before the last reset. It is for the eye only, until pages of now take its place one by one
 * (`shown.ts`): no frame and no page is folded into it.
 */
export interface Stale {
  conversations: State['conversations'];
  direct: State['direct'];
  timelines: State['timelines'];
  /** Of another log: its seqs mean other messages today, so nothing may be done to them. */
  foreign: boolean;
}

/**
 * Invariants. `conversations` and `timelines` hold only what was told since the last reset (`generation`); each
 * timeline keeps the invariants of `timeline.ts`. Pages of an earlier generation change nothing. Timelines of
 * conversations that are not on the screen (`open`) hold at most their newest messages, and a thread has one only
 * while it is open (`thread`).
 */
export interface State {
  me: string;
  /** Counts resets: an answer to a question of an earlier generation is not taken in. */
  generation: number;
  /** CON5: every page is asked for at least as new as the last reset, and as the last room that one came into. */
  minPosition: string | null;
  list: Reading;
  /** Where the list goes on after what was read of it. */
  listNext: string | null;
  /**
   * Whether the newest page of a conversation (by `keyOf`) or of a thread (by `timelineKey`) is here, and how it goes
   * with other pages that are being asked for (by `readingOf`).
   */
  readings: ReadonlyMap<string, Reading>;
  /** Conversations of which a frame told a message and nobody what they are, or how they are treated: each is asked about once. */
  unknown: readonly string[];
  conversations: ReadonlyMap<string, Conversation>;
  timelines: ReadonlyMap<TimelineKey, Timeline>;
  stale: Stale | null;
  /** What was last done to messages, in order: a page that was read before it does not have it. */
  recent: readonly Recent[];
  /** The handles of those whom this person has blocked. */
  blocked: ReadonlySet<string>;
  /** Whether history told of them; before, only what this page met is there. */
  blocksRead: boolean;
  /** Who was blocked and unblocked last, in order: for the same reason. */
  recentBlocks: readonly Block[];
  /** What was last told of rooms and of preferences, in order: for the same reason. */
  told: readonly Told[];
  /** The rooms that this person was in and is no more. */
  gone: ReadonlyMap<string, Gone>;
  /** The room that was made or joined last, and the id of the command that did it. */
  entered: { id: string; conversation: string; refused: readonly string[] } | null;
  /** The people of a direct conversation (`directKey`) → its id. */
  direct: ReadonlyMap<string, string>;
  /** Only while the session is live: what is not watched is not known. */
  presence: ReadonlyMap<string, Presence>;
  /** Conversation → who types there → until when. */
  typing: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Handle → the name that the person chose, where it was met. */
  names: ReadonlyMap<string, string>;
  /** The conversation on the screen (a `keyOf`) keeps what is around what is looked at; others are trimmed. */
  open: string | null;
  /** Rooms that somebody came into or left since they were counted. */
  uncounted: ReadonlySet<string>;
  /** The room whose people are on the screen. */
  members: Members | null;
  /** The public rooms, while they are looked through. */
  directory: Directory | null;
  /** Who is looked at. */
  card: Card | null;
  /** Whose presence is followed beside that of the people whom one talks to. */
  beside: readonly string[];
  /** The lists of messages that stand beside the conversation. */
  listings: ReadonlyMap<ListName, Listing>;
  /** The thread on the screen. */
  thread: TimelineKey | null;
}

export function initialState(me: string): State {
  return {
    me,
    generation: 0,
    minPosition: null,
    list: { status: 'loading' },
    listNext: null,
    readings: new Map(),
    unknown: [],
    conversations: new Map(),
    timelines: new Map(),
    stale: null,
    recent: [],
    blocked: new Set(),
    blocksRead: false,
    recentBlocks: [],
    told: [],
    gone: new Map(),
    entered: null,
    direct: new Map(),
    presence: new Map(),
    typing: new Map(),
    names: new Map(),
    open: null,
    uncounted: new Set(),
    members: null,
    directory: null,
    card: null,
    beside: [],
    listings: new Map(),
    thread: null,
  };
}

export function emptyConversation(id: string, participants: readonly string[]): Conversation {
  return {
    ...{ id, kind: 'direct', participants, room: null, role: null, memberCount: 0, notices: [], last: null },
    preferences: NO_PREFERENCES,
    ...{ tally: UNCOUNTED, read: new Map(), delivered: new Map(), lastActivity: '', listed: false },
  };
}

/** Whether it is known whose it is, or what room. */
export function isExplained({ room, participants }: Conversation): boolean {
  return room !== null || participants.length > 0;
}

/** What the reading of the later pages of the list goes by in `State.readings`. */
export const LIST_READING = 'list';

/** What the reading of one row of the list goes by there. */
export function rowReading(id: string): string {
  return `row ${id}`;
}

/** A direct conversation is its set of people: order and repeats do not matter. */
export function directKey(participants: readonly string[]): string {
  return [...new Set(participants)].sort().join(',');
}

/** What a room is called on the screen and in addresses; no handle has a colon. */
const ROOM = 'room:';

export function roomKey(id: string): string {
  return `${ROOM}${id}`;
}

/** The room of this key; null for a direct conversation. */
export function roomOfKey(key: string): string | null {
  return key.startsWith(ROOM) ? key.slice(ROOM.length) : null;
}

/** The people of this key; nobody for a room. */
export function peopleOfKey(key: string | null): string[] {
  return key === null || roomOfKey(key) !== null ? [] : key.split(',');
}

export function keyOf({
  id,
  kind,
  participants,
}: Pick<Conversation, 'id' | 'kind' | 'participants'>): string {
  return kind === 'room' ? roomKey(id) : directKey(participants);
}

/** The id of the conversation of this key, as far as it is known. */
export function idOfKey(state: State, key: string): string | undefined {
  return roomOfKey(key) ?? state.direct.get(key);
}
