/**
 * A small Natter for tests of the store: a log of facts, what of it a session tells one person, and what history
 * answers at any moment. It is written the plain way, message by message, so that it can't share a mistake with the fold.
 */
import {
  type ConversationItem,
  type MessageItem,
  NO_PREFERENCES,
  type Page,
  type Preferences,
  type RoomFacts,
  type ServerFrame,
} from '../net/frames.ts';
import { directKey, roomKey } from '../store/state.ts';

export const ME = 'ada';
const PEOPLE = [ME, 'bob', 'cy'];
const EMOJI = ['👍', '🎉'];

export const CONVERSATIONS = [
  { id: 'direct-1', people: [ME, 'bob'] },
  { id: 'direct-2', people: PEOPLE },
  { id: 'room-1', people: null },
  { id: 'room-2', people: null },
] as const;
export type Place = (typeof CONVERSATIONS)[number];

export const keyOfPlace = ({ id, people }: Place): string =>
  people === null ? roomKey(id) : directKey(people);

/** Of what a fact is made, before it is known what it can be about. */
export interface Draw {
  what:
    | 'message'
    | 'thread'
    | 'edit'
    | 'delete'
    | 'react'
    | 'pin'
    | 'read'
    | 'thread_read'
    | 'rename'
    | 'mute'
    | 'block'
    | 'leave';
  place: number;
  who: number;
  pick: number;
  flag: boolean;
}

interface Item extends MessageItem {
  mine: boolean;
}

interface Spot {
  messages: Item[];
  read: Map<string, number>;
  threadRead: Map<number, number>;
  name: string;
  muted: boolean;
  left: boolean;
}

const atOf = (seq: number): string => new Date(Date.UTC(2026, 4, 1) + seq * 1000).toISOString();

/** The log up to some place, folded. */
class World {
  readonly spots = new Map<string, Spot>();
  readonly blocked = new Set<string>();

  constructor() {
    for (const { id } of CONVERSATIONS)
      this.spots.set(id, {
        messages: [],
        read: new Map(),
        threadRead: new Map(),
        ...{ name: id, muted: false, left: false },
      });
  }

  spot({ id }: Place): Spot {
    const spot = this.spots.get(id);
    if (spot === undefined) throw new Error(`no conversation ${id}`);
    return spot;
  }

  take(frame: ServerFrame): void {
    if (frame.type === 'block') {
      if (frame.blocked) this.blocked.add(frame.user);
      else this.blocked.delete(frame.user);
      return;
    }
    if (!('conversation' in frame) || frame.conversation === undefined) return;
    const spot = this.spots.get(frame.conversation);
    if (spot === undefined) return;
    const about = 'message' in frame ? spot.messages.find(({ seq }) => seq === frame.message) : undefined;
    switch (frame.type) {
      case 'message':
        spot.messages.push({
          ...{ seq: frame.seq, conversation: frame.conversation, sender: frame.sender, id: frame.id },
          ...{ text: frame.text, at: frame.at, editedAt: null, deleted: false, reactions: [] },
          ...{ replyTo: frame.replyTo, reply: null, thread: frame.thread, replies: null },
          ...{ mentions: frame.mentions, mentionsRoom: false, pinned: false, mine: frame.sender === ME },
        });
        if (frame.thread === null) raise(spot.read, frame.sender, frame.seq);
        else if (frame.sender === ME) raise(spot.threadRead, frame.thread, frame.seq);
        return;
      case 'edited':
        if (about && !about.deleted && about.sender === frame.by)
          Object.assign(about, { text: frame.text, editedAt: frame.at });
        return;
      case 'deleted':
        if (about)
          Object.assign(about, {
            ...{ text: '', editedAt: null, deleted: true, reactions: [], mentions: [], pinned: false },
          });
        return;
      case 'pin':
        if (about && !about.deleted) about.pinned = frame.op === 'add';
        return;
      case 'reaction': {
        if (!about || about.deleted) return;
        const held = about.reactions.find(({ emoji }) => emoji === frame.emoji);
        const users = (held?.users ?? []).filter((user) => user !== frame.user);
        const added =
          frame.op === 'add'
            ? held?.users.includes(frame.user)
              ? held.users
              : [...users, frame.user]
            : users;
        const next = { emoji: frame.emoji, users: added, count: added.length };
        about.reactions =
          held === undefined
            ? [...about.reactions, next]
            : about.reactions.map((one) => (one === held ? next : one));
        about.reactions = about.reactions.filter(({ count }) => count > 0);
        return;
      }
      case 'marker':
        if (frame.thread === null) raise(spot.read, frame.user, frame.read);
        else if (frame.user === ME) raise(spot.threadRead, frame.thread, frame.read);
        return;
      case 'room':
        spot.name = frame.name;
        return;
      case 'preferences':
        spot.muted = frame.muted;
        return;
      case 'member':
        spot.left = true;
        return;
      default:
    }
  }
}

function raise<K>(map: Map<K, number>, key: K, seq: number): void {
  map.set(key, Math.max(seq, map.get(key) ?? 0));
}

/** The frames of a log, in which each fact is about something that is there. */
export function framesOf(draws: readonly Draw[]): ServerFrame[] {
  const world = new World();
  const frames: ServerFrame[] = [];
  for (const draw of draws) {
    const frame = frameOf(world, draw, frames.length + 1);
    if (frame === null) continue;
    world.take(frame);
    frames.push(frame);
  }
  return frames;
}

function frameOf(world: World, draw: Draw, seq: number): ServerFrame | null {
  const place = CONVERSATIONS[draw.place % CONVERSATIONS.length];
  if (place === undefined) return null;
  const spot = world.spot(place);
  if (spot.left) return null;
  const people: readonly string[] = place.people ?? PEOPLE;
  const who = people[draw.who % people.length] ?? ME;
  const { id: conversation } = place;
  const at = atOf(seq);
  const of = { seq, position: `p${seq}`, conversation, id: `id-${seq}`, at };
  const main = spot.messages.filter(({ thread }) => thread === null);
  const any = spot.messages[draw.pick % Math.max(1, spot.messages.length)];
  const root = main[draw.pick % Math.max(1, main.length)];
  const op = draw.flag ? 'add' : 'remove';
  switch (draw.what) {
    case 'message':
      return {
        ...{ type: 'message', ...of, sender: who, text: `text ${seq}`, mentionsRoom: false, thread: null },
        replyTo: draw.flag && root !== undefined ? root.seq : null,
        mentions: draw.pick % 3 === 0 ? [ME] : [],
        ...(place.people !== null && { participants: [...place.people] }),
      };
    case 'thread':
      if (root === undefined) return null;
      return {
        ...{ type: 'message', ...of, sender: who, text: `text ${seq}`, mentionsRoom: false, mentions: [] },
        ...{ replyTo: null, thread: root.seq },
        ...(place.people !== null && { participants: [...place.people] }),
      };
    case 'edit':
      return any ? { type: 'edited', ...of, message: any.seq, by: who, text: `edit ${seq}` } : null;
    case 'delete':
      // What becomes of the count when a mention is deleted, history alone knows.
      return any?.sender === who && any.mentions.length === 0
        ? { type: 'deleted', ...of, message: any.seq, by: who }
        : null;
    case 'react': {
      const emoji = EMOJI[draw.pick % EMOJI.length] ?? '👍';
      return any ? { type: 'reaction', ...of, message: any.seq, user: who, emoji, op } : null;
    }
    case 'pin':
      return any && any.thread === null ? { type: 'pin', ...of, message: any.seq, by: who, op } : null;
    case 'read':
      if (root === undefined || (place.people === null && who !== ME)) return null;
      return {
        type: 'marker',
        at,
        seq,
        position: of.position,
        conversation,
        user: who,
        read: root.seq,
        thread: null,
      };
    case 'thread_read': {
      const last = spot.messages.findLast(({ thread }) => root !== undefined && thread === root.seq);
      if (root === undefined || last === undefined) return null;
      const marker = { type: 'marker', seq, position: of.position, conversation, at } as const;
      return { ...marker, user: ME, read: last.seq, thread: root.seq };
    }
    case 'rename':
      if (place.people !== null) return null;
      return { type: 'room', ...of, by: 'bob', ...factsOf(`name ${seq}`) };
    case 'mute':
      return {
        type: 'preferences',
        seq,
        position: of.position,
        conversation,
        id: of.id,
        ...preferring(draw.flag),
      };
    case 'block':
      return { type: 'block', seq, position: of.position, user: who, blocked: draw.flag, id: of.id, at };
    case 'leave':
      return conversation === 'room-2'
        ? { type: 'member', ...of, user: ME, change: 'removed', by: 'bob' }
        : null;
  }
}

function preferring(muted: boolean): Preferences {
  return { ...NO_PREFERENCES, muted };
}

function factsOf(name: string): RoomFacts {
  return { name, topic: '', visibility: 'public', archived: false, owners: ['bob'] };
}

/** What history answers when it is as new as the first `upTo` facts. */
export class HistoryAt {
  readonly #world = new World();

  constructor(frames: readonly ServerFrame[], upTo: number) {
    for (const frame of frames.slice(0, upTo)) this.#world.take(frame);
  }

  left(place: Place): boolean {
    return this.#world.spot(place).left;
  }

  get blocked(): string[] {
    return [...this.#world.blocked];
  }

  /** Those of the conversation, or of one of its threads. */
  all(place: Place, thread: number | null = null): MessageItem[] {
    return this.#world
      .spot(place)
      .messages.filter((message) => message.thread === thread)
      .map((message) => this.#shown(place, message));
  }

  list(): ConversationItem[] {
    return CONVERSATIONS.filter((place) => this.#isListed(place)).map((place) => this.row(place));
  }

  row(place: Place): ConversationItem {
    const { name, muted, read } = this.#world.spot(place);
    const main = this.all(place);
    const mine = read.get(ME) ?? 0;
    const unread = main.filter(({ seq, sender }) => sender !== ME && seq > mine);
    const others = (place.people ?? []).filter((user) => user !== ME);
    return {
      ...{ conversation: place.id, kind: place.people === null ? 'room' : 'direct' },
      participants: [...(place.people ?? [])],
      lastMessage: main.at(-1) ?? null,
      unread: unread.length,
      mentions: unread.filter(({ mentions }) => mentions.some((user) => user === ME)).length,
      read: mine,
      markers: others.map((user) => ({ user, read: read.get(user) ?? 0, delivered: 0 })),
      lastActivity: main.at(-1)?.at ?? atOf(0),
      preferences: preferring(muted),
      room:
        place.people === null
          ? { conversation: place.id, ...factsOf(name), members: 3, role: 'member' }
          : null,
    };
  }

  newest(place: Place, thread: number | null, limit: number): Page<MessageItem> {
    return this.before(place, thread, Number.POSITIVE_INFINITY, limit);
  }

  before(place: Place, thread: number | null, seq: number, limit: number): Page<MessageItem> {
    const there = this.all(place, thread).filter((message) => message.seq < seq);
    return pageOf(there.slice(-limit), there.length > limit);
  }

  after(place: Place, thread: number | null, seq: number, limit: number): Page<MessageItem> {
    const there = this.all(place, thread).filter((message) => message.seq > seq);
    return pageOf(there.slice(0, limit), there.length > limit);
  }

  around(place: Place, thread: number | null, seq: number, limit: number): Page<MessageItem> {
    const half = Math.floor(limit / 2);
    const older = this.before(place, thread, seq, half).items;
    const newer = this.after(place, thread, seq - 1, limit - half);
    return { ...newer, items: [...older, ...newer.items] };
  }

  #isListed(place: Place): boolean {
    const { messages, left } = this.#world.spot(place);
    return !left && (place.people === null || messages.length > 0);
  }

  #shown(place: Place, { mine, ...message }: Item): MessageItem {
    const { messages, threadRead } = this.#world.spot(place);
    const inThread = messages.filter(({ thread }) => thread === message.seq);
    const last = inThread.at(-1);
    const read = threadRead.get(message.seq) ?? 0;
    const follows = mine || inThread.some(({ sender }) => sender === ME);
    const unread = inThread.filter(({ seq, sender }) => sender !== ME && seq > read).length;
    const about = messages.find(({ seq }) => seq === message.replyTo);
    return {
      ...message,
      reply: about
        ? { seq: about.seq, sender: about.sender, text: about.text, deleted: about.deleted }
        : null,
      replies: last ? { count: inThread.length, lastAt: last.at, ...(follows && { unread }) } : null,
    };
  }
}

function pageOf(items: MessageItem[], more: boolean): Page<MessageItem> {
  return { items, next: more ? 'more' : null, position: 'h' };
}
