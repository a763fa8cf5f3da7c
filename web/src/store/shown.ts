/**
 * What the screen shows: what is known since the last reset, and until that is read, what was known before it. All of
 * it gives the same object for the same state.
 */
import { type Conversation, idOfKey, isExplained, type Message, type State } from './state.ts';
import { heldMessage, isRead, newestOf, type Timeline, type TimelineKey, withLive } from './timeline.ts';

/** The id of the conversation of this key, as far as it is known. */
export function idShown(state: State, key: string): string | undefined {
  return idOfKey(state, key) ?? state.stale?.direct.get(key);
}

export function conversationShown(
  { conversations, stale }: Pick<State, 'conversations' | 'stale'>,
  id: string,
): Conversation | undefined {
  const held = conversations.get(id);
  if (stale === null || (held !== undefined && isExplained(held))) return held;
  return stale.conversations.get(id) ?? held;
}

/** All of them, by their ids. */
export function conversationsShown(state: State): State['conversations'] {
  const { conversations, stale } = state;
  if (stale === null || stale.conversations.size === 0) return conversations;
  const known = merged.get(conversations);
  if (known?.stale === stale) return known.all;
  const all = new Map(stale.conversations);
  for (const [id, conversation] of conversations)
    if (isExplained(conversation) || !all.has(id)) all.set(id, conversation);
  merged.set(conversations, { stale, all });
  return all;
}

export function timelineShown(state: State, key: TimelineKey): Timeline | undefined {
  const held = state.timelines.get(key);
  const before = state.stale?.timelines.get(key);
  if (before === undefined || (held !== undefined && isRead(held))) return held;
  // Of another log what is said now does not go on where that ended.
  return held === undefined || state.stale?.foreign === true ? before : continued(before, held);
}

/** A message that is on the screen: of a conversation, or of its thread that is open. */
export function messageShown(state: State, conversation: string, seq: number): Message | undefined {
  const lines = [conversation, ...(state.thread?.startsWith(`${conversation}/`) ? [state.thread] : [])];
  for (const line of lines) {
    const timeline = timelineShown(state, line);
    const held = timeline && heldMessage(timeline, seq);
    if (held !== undefined) return held;
  }
  return undefined;
}

/** Whether what is shown of it is from before the last reset. */
export function isStale(state: State, key: TimelineKey): boolean {
  const shown = timelineShown(state, key);
  return shown !== undefined && shown !== state.timelines.get(key);
}

/** Nothing is done to messages that another log had: their seqs mean others today. */
export function takesCommands(state: State, key: TimelineKey): boolean {
  return state.stale?.foreign !== true || !isStale(state, key);
}

interface Merged {
  stale: State['stale'];
  all: State['conversations'];
}
const merged = new WeakMap<State['conversations'], Merged>();
const grown = new WeakMap<Timeline, { before: Timeline; all: Timeline }>();

/** What was known before, and what was said since the reset, so that nothing said now waits for a page. */
function continued(before: Timeline, held: Timeline): Timeline {
  const known = grown.get(held);
  if (known?.before === before) return known.all;
  const all = (newestOf(held)?.messages ?? []).reduce(withLive, before);
  grown.set(held, { before, all });
  return all;
}
