/**
 * What is known at a position, in the form in which history would have told it there: so a page that begins with it goes on
 * as one that has just read all of that, and takes in the frames after the position (CON3).
 */
import type { ConversationItem, MessageItem, Page, UserItem } from '../net/frames.ts';
import type { Change } from './fold.ts';
import { cutAround } from './segments.ts';
import { type Conversation, isExplained, keyOf, type Message, type State } from './state.ts';
import { emptyTimeline, isRead, newestOf, rootOfKey, type Timeline, withPage } from './timeline.ts';
import { isUnsure, mentionCount, unreadCount } from './unread.ts';

/** Whoever has more conversations than that begins with an empty page. */
export const MAX_SNAPSHOT_CONVERSATIONS = 5_000;
/** Of the conversations with the latest talk, the newest messages. */
export const MAX_SNAPSHOT_LINES = 30;
export const MAX_SNAPSHOT_MESSAGES = 50;
export const MAX_SNAPSHOT_PEOPLE = 1_000;

export interface Snapshot {
  position: string;
  list: Page<ConversationItem>;
  lines: readonly Line[];
  /** Null where it was not known. */
  blocked: readonly string[] | null;
  people: readonly UserItem[];
  /** Rooms that somebody came into or left since they were counted. */
  uncounted: readonly string[];
}

/** The newest messages of a conversation. */
export interface Line {
  conversation: string;
  messages: readonly MessageItem[];
  /** Whether there is something before them. */
  older: boolean;
  /** Whether they are true at the position; otherwise they are from before a reset, and for the eye only. */
  current: boolean;
}

/** Null while something is still to be asked without which it would be wrong for good. */
export function snapshotOf(state: State, position: string): Snapshot | null {
  const { me, list, listNext, conversations, names } = state;
  const held = [...conversations.values()];
  if (list.status !== 'done' || held.length > MAX_SNAPSHOT_CONVERSATIONS) return null;
  if (held.some((one) => !isExplained(one) || isUnsure(one, me))) return null;
  return {
    position,
    list: { items: held.map((one) => rowOf(one, me)), next: listNext, position },
    lines: linesOf(state),
    blocked: state.blocksRead ? [...state.blocked] : null,
    people: [...names].slice(-MAX_SNAPSHOT_PEOPLE).map(([user, displayName]) => ({ user, displayName })),
    uncounted: [...state.uncounted],
  };
}

/** What makes it known again to a store that knows nothing yet. */
export function restoring({ position, list, lines, blocked, people, uncounted }: Snapshot): Change[] {
  const generation = 0;
  const rows = new Map(list.items.map((item) => [item.conversation, item]));
  const pages = lines.flatMap(({ conversation, messages, older, current }): Change[] => {
    const row = rows.get(conversation);
    if (!current || row === undefined) return [];
    const { kind, participants } = row;
    const page = { items: [...messages], next: older ? conversation : null, position };
    const key = keyOf({ id: conversation, kind, participants });
    return [
      {
        ...{ type: 'messages_page', generation, key, participants, thread: null, page },
        place: { at: 'newest' },
      },
    ];
  });
  const before = lines.filter(({ current }) => !current).map(lineBefore);
  return [
    { type: 'restored', position, before: new Map(before.map((line) => [line.key, line])), uncounted },
    { type: 'met', people },
    { type: 'list_page', generation, page: list },
    ...(blocked === null ? [] : [{ type: 'blocks_read' as const, generation, users: blocked }]),
    ...pages,
  ];
}

function rowOf(held: Conversation, me: string): ConversationItem {
  const { id, kind, participants, room, last, preferences, lastActivity, read, delivered } = held;
  // In a room nobody is told how far others have read.
  const others = kind === 'room' ? [] : participants.filter((user) => user !== me);
  return {
    ...{ conversation: id, kind, participants: [...participants], preferences, lastActivity },
    lastMessage: last && itemOf(id, last),
    unread: unreadCount(held, me),
    mentions: mentionCount(held, me),
    read: read.get(me) ?? 0,
    markers: others.map((user) => ({
      user,
      read: read.get(user) ?? 0,
      delivered: delivered.get(user) ?? 0,
    })),
    room: room && { conversation: id, ...room, members: held.memberCount, role: held.role },
  };
}

function linesOf({ conversations, timelines, readings, stale }: State): Line[] {
  const latest = [...conversations.values()].sort((a, b) => (a.lastActivity < b.lastActivity ? 1 : -1));
  const lines: Line[] = [];
  for (const one of latest) {
    if (lines.length === MAX_SNAPSHOT_LINES) break;
    const { id } = one;
    const held = timelines.get(id);
    // Of one that began on this page there was nothing to read.
    const read = held !== undefined && (isRead(held) || readings.get(keyOf(one))?.status === 'done');
    const line = read
      ? lineOf(held, true)
      : stale !== null && !stale.foreign
        ? lineOf(stale.timelines.get(id), false)
        : null;
    if (line !== null) lines.push(line);
  }
  return lines;
}

function lineOf(timeline: Timeline | undefined, current: boolean): Line | null {
  const newest = timeline && newestOf(timeline);
  if (timeline === undefined || newest === undefined) return null;
  if (rootOfKey(timeline.key) !== null) return null;
  const [kept] = cutAround(newest, null, MAX_SNAPSHOT_MESSAGES);
  if (kept === undefined || kept.messages.length === 0) return null;
  const { conversation } = timeline;
  const messages = kept.messages.map((message) => itemOf(conversation, message));
  return { conversation, messages, older: kept.older !== false, current };
}

function lineBefore({ conversation, messages, older }: Line): Timeline {
  const items = messages.map(({ conversation: _, thread: __, ...message }) => message);
  return withPage(emptyTimeline(conversation), items, { at: 'newest' }, older, () => true);
}

function itemOf(conversation: string, message: Message): MessageItem {
  const { reactions, reply, replies, mentions } = message;
  return {
    ...message,
    ...{ conversation, thread: null, mentions: [...mentions], reply: reply && { ...reply } },
    reactions: reactions.map(({ emoji, users, count }) => ({ emoji, users: [...users], count })),
    replies: replies && {
      count: replies.count,
      lastAt: replies.lastAt,
      ...(replies.unread !== undefined && { unread: replies.unread }),
    },
  };
}
