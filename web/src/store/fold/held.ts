/** Putting back what was folded. */

import { KEPT_MESSAGES } from '../segments.ts';
import { type Conversation, directKey, keyOf, type Reading, type State } from '../state.ts';
import { bounded, newestOf, type Timeline, type TimelineKey, trimmed } from '../timeline.ts';

export function withConversation(state: State, conversation: Conversation): State {
  if (state.conversations.get(conversation.id) === conversation) return state;
  const conversations = new Map(state.conversations).set(conversation.id, conversation);
  if (conversation.kind !== 'direct' || conversation.participants.length === 0)
    return { ...state, conversations };
  const key = directKey(conversation.participants);
  const direct = state.direct.has(key) ? state.direct : new Map(state.direct).set(key, conversation.id);
  return { ...state, conversations, direct };
}

export function changed(state: State, id: string, change: (held: Conversation) => Conversation): State {
  const held = state.conversations.get(id);
  return held === undefined ? state : withConversation(state, change(held));
}

/** Within its bounds: on the screen what is around what is looked at, elsewhere the newest. */
export function withTimeline(state: State, timeline: Timeline): State {
  if (state.timelines.get(timeline.key) === timeline) return state;
  const timelines = new Map(state.timelines);
  const kept = isOnScreen(state, timeline) ? bounded(timeline) : withinKept(timeline);
  if (kept === null) timelines.delete(timeline.key);
  else timelines.set(timeline.key, kept);
  return { ...state, timelines };
}

export function withReading(state: State, key: string, reading: Reading | null): State {
  const readings = new Map(state.readings);
  if (reading === null) readings.delete(key);
  else readings.set(key, reading);
  return { ...state, readings };
}

function isOnScreen({ thread, open, conversations }: State, { key, conversation }: Timeline): boolean {
  if (key === thread) return true;
  const held = conversations.get(conversation);
  return key === conversation && held !== undefined && keyOf(held) === open;
}

function withinKept(timeline: Timeline): Timeline | null {
  const newest = newestOf(timeline);
  return newest !== undefined && newest.messages.length <= 2 * KEPT_MESSAGES && timeline.segments.length === 1
    ? timeline
    : trimmed(timeline);
}

export function withoutTimeline(state: State, key: TimelineKey): State {
  if (!state.timelines.has(key)) return state;
  const timelines = new Map(state.timelines);
  timelines.delete(key);
  return { ...state, timelines };
}
