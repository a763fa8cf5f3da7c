/** What this client knows: a projection of frames and history pages that can be thrown away and read again. */
import type { PresenceStatus, RepliesItem, ReplyItem, RoomFacts } from '../net/frames.ts';
import type { Block } from './blocks.ts';
import type { Recent } from './changes.ts';
import type { Gone, Notice, Told } from './rooms.ts';

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
  /** Nothing of it makes itself heard. */
  muted: boolean;
  /** What happened in a room while this page was there, by seq. */
  notices: readonly Notice[];
  /** What was said outside of threads. By seq, without a hole from the first to the newest. */
  messages: readonly Message[];
  /**
   * What the newest list snapshot counted: `unread` messages of others after `read`, among all up to `lastSeq`; and
   * how many mention this person, in threads too.
   * What came later is counted from `messages`, so the number does not depend on the order of arrival.
   */
  counted: { lastSeq: number; read: number; unread: number; mentions: number };
  read: ReadonlyMap<string, number>;
  delivered: ReadonlyMap<string, number>;
  lastActivity: string;
  /** Whether there are messages before the first one here; null until the first page is read. */
  older: boolean | null;
}

export interface Presence {
  status: PresenceStatus;
  lastSeen?: string | undefined;
}

export type Reading = { status: 'loading' } | { status: 'done' } | { status: 'failed'; message: string };

export interface State {
  me: string;
  /** Counts resets: an answer to a question of an earlier generation is not taken in. */
  generation: number;
  /** CON5: every page is asked for at least as new as the last reset, and as the last room that one came into. */
  minPosition: string | null;
  list: Reading;
  /** Where the list goes on after what was read of it. */
  listNext: string | null;
  /** Whether the newest page of a conversation (by `keyOf`) is here. */
  readings: ReadonlyMap<string, Reading>;
  /** Conversations of which a frame told a message and not what they are: each is asked about once. */
  unknown: readonly string[];
  conversations: ReadonlyMap<string, Conversation>;
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
  entered: { id: string; conversation: string } | null;
  /** The people of a direct conversation (`directKey`) → its id. */
  direct: ReadonlyMap<string, string>;
  /** Only while the session is live: what is not watched is not known. */
  presence: ReadonlyMap<string, Presence>;
  /** Conversation → who types there → until when. */
  typing: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Handle → the name that the person chose, where it was met. */
  names: ReadonlyMap<string, string>;
  /** The conversation on the screen (a `keyOf`) keeps all that was loaded; others are trimmed. */
  open: string | null;
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
  };
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
