/** Pages of messages, and what of them is on the screen. */
import type { MessageItem } from '../../net/frames.ts';
import { withChangesSince } from '../changes.ts';
import { withSaid } from '../conversation.ts';
import { emptyConversation, idOfKey, type Message, roomOfKey, type State } from '../state.ts';
import {
  conversationOfKey,
  emptyTimeline,
  rootOfKey,
  type TimelineKey,
  timelineKey,
  trimmed,
  withPage,
} from '../timeline.ts';
import type { Change, Changes } from './change.ts';
import { withConversation, withoutTimeline, withReading, withTimeline } from './held.ts';

export const timelineChanges: Changes<
  'messages_page' | 'root_read' | 'reading' | 'opened' | 'thread_opened' | 'shown'
> = {
  messages_page: foldPage,
  root_read: (state, { timeline: key, item }) => {
    const timeline = state.timelines.get(key);
    if (timeline === undefined) return state;
    const [root = null] = asTheyAreNow(state, timeline.conversation, [item]).messages;
    return withTimeline(state, { ...timeline, root });
  },
  reading: (state, { key, reading }) => withReading(state, key, reading),
  opened: foldOpened,
  thread_opened: (state, { timeline }) => foldThread(state, timeline),
  shown: (state, { timeline: key, seq }) => {
    const timeline = state.timelines.get(key);
    if (timeline === undefined || timeline.around === seq) return state;
    return withTimeline(state, { ...timeline, around: seq });
  },
};

/**
 * Items of a page, as new as what the session has told. Positions can't be compared, so all that is remembered is done
 * again: the last word of the log on each text and each reaction stands, whether the page had it or not. A message of
 * which nothing is remembered is at least as new in the page as it is here.
 */
export function asTheyAreNow(
  state: State,
  id: string,
  items: readonly MessageItem[],
): { messages: Message[]; newer: (seq: number) => boolean } {
  const recent = state.recent.filter(({ conversation }) => conversation === id);
  const told = new Set(recent.map(({ message }) => message));
  return {
    messages: items.map(({ conversation: _, thread: __, ...item }) => withChangesSince(item, recent)),
    newer: (seq) => !told.has(seq),
  };
}

function foldPage(state: State, change: Extract<Change, { type: 'messages_page' }>): State {
  const { page, place, key, thread, participants, show } = change;
  const id = page.items[0]?.conversation ?? idOfKey(state, key);
  // One left the room while its page was read.
  if (roomOfKey(key) !== null && (id === undefined || !state.conversations.has(id))) return state;
  const newest = place.at === 'newest';
  if (id === undefined)
    return newest ? withoutStalePeople(withReading(state, key, { status: 'done' }), key) : state;
  const line = timelineKey(id, thread);
  // Its thread was closed.
  if (thread !== null && !state.timelines.has(line)) return state;
  const done = newest ? withReading(state, thread === null ? key : line, { status: 'done' }) : state;
  const known = state.conversations.get(id) ?? emptyConversation(id, participants);
  const held = known.participants.length === 0 ? { ...known, participants } : known;
  const { messages, newer } = asTheyAreNow(state, id, page.items);
  const said = withConversation(done, thread === null ? withSaid(held, messages, state.me, newer) : held);
  const timeline = said.timelines.get(line) ?? emptyTimeline(id, thread);
  const grown = withPage(timeline, messages, place, page.next !== null, newer);
  const taken = withTimeline(said, show === undefined ? grown : { ...grown, around: show });
  return newest ? withoutStaleLine(taken, line) : taken;
}

/** What was known of it before the reset has been read again. */
function withoutStaleLine(state: State, line: TimelineKey): State {
  const { stale } = state;
  if (stale?.timelines.has(line) !== true) return state;
  const timelines = new Map(stale.timelines);
  timelines.delete(line);
  return {
    ...state,
    stale: timelines.size + stale.conversations.size === 0 ? null : { ...stale, timelines },
  };
}

/** In this log these people have not spoken. */
function withoutStalePeople(state: State, key: string): State {
  const { stale } = state;
  if (stale?.direct.has(key) !== true) return state;
  const direct = new Map(stale.direct);
  direct.delete(key);
  return { ...state, stale: { ...stale, direct } };
}

function foldOpened(state: State, { key }: Extract<Change, { type: 'opened' }>): State {
  if (key === state.open) return state;
  const closed = foldThread(state, null);
  const left = state.open === null ? undefined : idOfKey(state, state.open);
  const timeline = left === undefined ? undefined : closed.timelines.get(left);
  const next = { ...closed, open: key };
  if (timeline === undefined || state.open === null) return next;
  const kept = trimmed(timeline);
  // Without its newest messages it is read again when it is opened again.
  if (kept === null) return withReading(withoutTimeline(next, timeline.key), state.open, null);
  return withTimeline(next, kept);
}

function foldThread(state: State, key: string | null): State {
  if (key === state.thread) return state;
  const closed =
    state.thread === null
      ? state
      : withReading(withoutTimeline({ ...state, thread: null }, state.thread), state.thread, null);
  if (key === null) return { ...closed, thread: null };
  const conversation = conversationOfKey(key);
  const thread = rootOfKey(key);
  const about = closed.timelines.get(conversation)?.segments.flatMap(({ messages }) => messages);
  const root = about?.find(({ seq }) => seq === thread) ?? null;
  return withTimeline({ ...closed, thread: key }, { ...emptyTimeline(conversation, thread), root });
}
