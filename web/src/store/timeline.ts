/** What is held of one line of talk: a conversation outside of its threads, or one thread. */
import type { ReplyItem } from '../net/frames.ts';
import { type MessageChange, withAnsweredChange, withChange } from './changes.ts';
import { beginning } from './reply.ts';
import {
  cutAround,
  indexOf,
  isIn,
  KEPT_MESSAGES,
  MAX_SEGMENTS,
  nearest,
  run,
  type Segment,
  withRun,
} from './segments.ts';
import type { Message } from './state.ts';

/** `timelineKey` of a conversation, or of a conversation and the message with which a thread begins. */
export type TimelineKey = string;

/** Around what is looked at; when there are twice as many, the far ones are let go. */
export const MAX_HELD = 500;

/**
 * Invariants: segments are by seq and apart from each other, at most `MAX_SEGMENTS` of them with at most `MAX_HELD`
 * messages each; at most one is the newest. Whatever a frame told is in the newest one, or before its beginning.
 */
export interface Timeline {
  key: TimelineKey;
  conversation: string;
  /** The message with which the thread begins, where this is one and it was read. */
  root: Message | null;
  segments: readonly Segment[];
  /** Up to here the newest messages were let go: frames do not bring them back, pages do. */
  letGo: number;
  /** What is looked at, by its seq: the messages around it stay. Null at the end, which follows what arrives. */
  around: number | null;
}

export function timelineKey(conversation: string, thread: number | null = null): TimelineKey {
  return thread === null ? conversation : `${conversation}/${thread}`;
}

/** The message with which the thread of this key begins; null outside of threads. */
export function rootOfKey(key: TimelineKey): number | null {
  const slash = key.lastIndexOf('/');
  return slash < 0 ? null : Number(key.slice(slash + 1));
}

export function conversationOfKey(key: TimelineKey): string {
  const slash = key.lastIndexOf('/');
  return slash < 0 ? key : key.slice(0, slash);
}

/** What the reading of a page of this line of talk goes by in `State.readings`. */
export function readingOf(key: TimelineKey, of: 'older' | 'newer' | 'around'): string {
  return `${of} ${key}`;
}

export function emptyTimeline(conversation: string, thread: number | null = null): Timeline {
  const key = timelineKey(conversation, thread);
  return { key, conversation, root: null, segments: [], letGo: 0, around: null };
}

/** The segment that takes what frames bring, if there is one. */
export function newestOf({ segments }: Timeline): Segment | undefined {
  return segments.findLast(({ newer }) => !newer);
}

/** Whether a page of it was read; before, only what frames brought is there. */
export function isRead({ segments }: Timeline): boolean {
  return segments.some(({ older }) => older !== null);
}

/** The segment of what is looked at. */
export function shownSegment(timeline: Timeline): Segment | undefined {
  const { around, segments } = timeline;
  if (around === null) return newestOf(timeline);
  return segments.find((segment) => isIn(segment, around)) ?? newestOf(timeline);
}

export function heldMessage({ segments, root }: Timeline, seq: number): Message | undefined {
  for (const segment of segments) {
    if (!isIn(segment, seq)) continue;
    const held = segment.messages[indexOf(segment.messages, seq)];
    if (held?.seq === seq) return held;
  }
  return root?.seq === seq ? root : undefined;
}

/** The beginning of what a message answers: as it is here, or as history told it; null where nothing is known of it. */
export function answered(timeline: Timeline, { replyTo, reply }: Message): ReplyItem | null {
  if (replyTo === null) return null;
  const held = heldMessage(timeline, replyTo);
  if (held === undefined) return reply;
  return { seq: replyTo, sender: held.sender, text: beginning(held.text), deleted: held.deleted };
}

/** A message that a frame brought, or an `ok` in the place of one. What was let go does not come back this way. */
export function withLive(timeline: Timeline, message: Message): Timeline {
  const newest = newestOf(timeline);
  const { seq } = message;
  if (seq <= timeline.letGo || heldMessage(timeline, seq) !== undefined) return timeline;
  // A page was ahead of the session: up to where it begins frames tell of everything.
  const ahead = newest !== undefined && newest.older !== null && seq < newest.from;
  const live = ahead
    ? { messages: [message], from: seq, to: newest.from, older: newest.older, newer: true }
    : { messages: [message], from: seq, to: seq, older: null, newer: false };
  return { ...timeline, segments: withRun(timeline.segments, live) };
}

/** Where a page was asked for. */
export type Place =
  | { at: 'newest' }
  | { at: 'before' | 'after'; seq: number }
  /** Of a page in the middle the server says only in one direction whether there is more. */
  | { at: 'around'; older: boolean };

/**
 * A page that was asked for at this place. `more` tells whether there is something beyond it in the direction that was
 * asked for; `newer` which of its messages say more than what is held of them.
 */
export function withPage(
  timeline: Timeline,
  messages: readonly Message[],
  place: Place,
  more: boolean,
  newer: (seq: number) => boolean,
): Timeline {
  const arriving = runAt(timeline, messages, place, more);
  return arriving === null
    ? timeline
    : { ...timeline, segments: withRun(timeline.segments, arriving, newer) };
}

/** What a page tells; null where what it was to join was let go meanwhile. */
function runAt(
  { segments }: Timeline,
  messages: readonly Message[],
  place: Place,
  more: boolean,
): Segment | null {
  const first = messages[0]?.seq ?? 0;
  const last = messages.at(-1)?.seq ?? 0;
  if (place.at === 'newest') return run(messages, first, last, more, false);
  if (place.at === 'around') return run(messages, first, last, place.older, more);
  const { seq } = place;
  if (!segments.some((segment) => isIn(segment, seq))) return null;
  return place.at === 'before'
    ? run(messages, messages.length > 0 ? first : seq, seq, more, true)
    : run(messages, seq, messages.length > 0 ? last : seq, true, more);
}

/** Something was done to a message; one that is not here is read as it is then. Those that answer it show it, too. */
export function withChanged(timeline: Timeline, seq: number, change: MessageChange): Timeline {
  const segments = timeline.segments.map((segment) => {
    if (segment.to < seq) return segment;
    const messages = segment.messages.map((held) => withChangeOf(held, seq, change));
    const same = messages.every((message, index) => message === segment.messages[index]);
    return same ? segment : { ...segment, messages };
  });
  const root = timeline.root && withChangeOf(timeline.root, seq, change);
  const same = root === timeline.root && segments.every((one, index) => one === timeline.segments[index]);
  return same ? timeline : { ...timeline, root, segments };
}

export function withChangeOf(message: Message, seq: number, change: MessageChange): Message {
  if (message.replyTo === seq) return withAnsweredChange(message, change);
  return message.seq === seq ? withChange(message, change) : message;
}

/** Lets go of what is far from what is looked at. */
export function bounded(timeline: Timeline): Timeline {
  const { segments } = timeline;
  const shown = shownSegment(timeline);
  if (segments.length <= MAX_SEGMENTS && segments.every(({ messages }) => messages.length <= 2 * MAX_HELD))
    return timeline;
  const kept = segments.flatMap((segment) =>
    segment !== shown
      ? cutAround(segment, segment.newer ? segment.from : null, KEPT_MESSAGES)
      : segment.messages.length <= 2 * MAX_HELD
        ? [segment]
        : cutAround(segment, timeline.around, MAX_HELD),
  );
  return without(timeline, nearest(kept, timeline.around));
}

/** Lets go of all but the newest messages; null where nothing of them is here. */
export function trimmed(timeline: Timeline): Timeline | null {
  const newest = newestOf(timeline);
  if (newest === undefined) return null;
  if (
    timeline.segments.length === 1 &&
    timeline.around === null &&
    newest.messages.length <= 2 * KEPT_MESSAGES
  )
    return timeline;
  return { ...without(timeline, cutAround(newest, null, KEPT_MESSAGES)), around: null };
}

function without(timeline: Timeline, segments: readonly Segment[]): Timeline {
  const from = segments.findLast(({ newer }) => !newer)?.from ?? 0;
  const gone = timeline.segments.flatMap(({ messages }) => {
    const last = messages[indexOf(messages, from) - 1];
    return last === undefined || segments.some((segment) => isIn(segment, last.seq)) ? [] : [last.seq];
  });
  return { ...timeline, segments, letGo: Math.max(timeline.letGo, ...gone) };
}
