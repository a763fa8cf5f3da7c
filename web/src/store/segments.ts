/** Runs of messages without a hole: joined where they meet, and cut where they grow too long. */
import type { Message } from './state.ts';

/**
 * A run of messages. Invariant: of this line of talk nothing was said from `from` to `to` that is not in `messages`,
 * which are by seq, each once. (A page that is ahead of the session leaves out for a moment what frames then bring.)
 */
export interface Segment {
  messages: readonly Message[];
  from: number;
  to: number;
  /** Whether there is something before it; null where only frames have told of it so far. */
  older: boolean | null;
  /** Whether there is something after it. The segment that says no is the newest: it takes what frames bring. */
  newer: boolean;
}

/** Of what is not looked at, the newest messages, for coming back to them; up to twice as many. */
export const KEPT_MESSAGES = 100;
export const MAX_SEGMENTS = 4;

/** The rest of a segment around a seq, or at its end where that is null; and its newest messages, where it has those. */
export function cutAround(segment: Segment, around: number | null, keep: number): Segment[] {
  const { messages, newer } = segment;
  if (messages.length <= keep) return [segment];
  const middle = around === null ? messages.length : indexOf(messages, around);
  const start = Math.max(0, Math.min(middle - Math.floor(keep / 2), messages.length - keep));
  const end = start + keep;
  const window = slice(segment, start, end);
  if (end === messages.length || newer) return [window];
  const tail = Math.max(end, messages.length - KEPT_MESSAGES);
  // Where the two would touch they stay one.
  return tail === end
    ? [slice(segment, start, messages.length)]
    : [window, slice(segment, tail, messages.length)];
}

function slice(segment: Segment, start: number, end: number): Segment {
  const { messages } = segment;
  const some = messages.slice(start, end);
  return {
    messages: some,
    from: start === 0 ? segment.from : (some[0]?.seq ?? segment.from),
    to: end === messages.length ? segment.to : (some.at(-1)?.seq ?? segment.to),
    older: start === 0 ? segment.older : true,
    newer: end === messages.length ? segment.newer : true,
  };
}

/** The newest segment, and of the others those that are nearest to what is looked at. */
export function nearest(segments: readonly Segment[], around: number | null): readonly Segment[] {
  if (segments.length <= MAX_SEGMENTS) return segments;
  const place = around ?? Number.POSITIVE_INFINITY;
  const distance = (segment: Segment) => {
    if (!segment.newer) return -1;
    if (place > segment.to) return place === Number.POSITIVE_INFINITY ? -segment.to : place - segment.to;
    return Math.max(0, segment.from - place);
  };
  const kept = new Set([...segments].sort((a, b) => distance(a) - distance(b)).slice(0, MAX_SEGMENTS));
  return segments.filter((segment) => kept.has(segment));
}

export function run(
  messages: readonly Message[],
  from: number,
  to: number,
  older: boolean,
  newer: boolean,
): Segment {
  // Where nothing is before it, it reaches back to the beginning.
  return { messages, from: older ? from : 0, to, older, newer };
}

/** Takes in a run, joined with what it meets; `newer` tells which of its messages say more than what is held of them. */
export function withRun(
  segments: readonly Segment[],
  arriving: Segment,
  newer: (seq: number) => boolean = () => false,
): readonly Segment[] {
  const last = segments.at(-1);
  // Nearly always it is the next message.
  if (last?.newer === false && !arriving.newer && arriving.older === null && arriving.from > last.to) {
    return segments.with(-1, {
      ...last,
      to: arriving.to,
      messages: [...last.messages, ...arriving.messages],
    });
  }
  let joined = arriving;
  const apart: Segment[] = [];
  for (const segment of segments) {
    if (meet(segment, joined)) joined = merged(segment, joined, newer);
    else apart.push(segment);
  }
  return withOneNewest([...apart, joined].sort(bySeq), newer);
}

/**
 * Two runs without anything newer in their time: the session told all since it began, so one that only frames have
 * told of goes on where the other ended. Otherwise something was let go between them.
 */
function withOneNewest(segments: Segment[], newer: (seq: number) => boolean): readonly Segment[] {
  const ends = segments.filter((segment) => !segment.newer);
  const [first, last] = ends;
  if (first === undefined || last === undefined) return segments;
  if (last.older === null) {
    let whole = merged(first, last, newer);
    const apart: Segment[] = [];
    for (const segment of segments) {
      if (segment === first || segment === last) continue;
      if (meet(segment, whole)) whole = merged(segment, whole, newer);
      else apart.push(segment);
    }
    return [...apart, whole].sort(bySeq);
  }
  return first.messages.length === 0
    ? segments.filter((one) => one !== first)
    : segments.map((one) => (one === first ? { ...one, newer: true } : one));
}

function merged(held: Segment, arriving: Segment, newer: (seq: number) => boolean): Segment {
  const [low, high] = held.from <= arriving.from ? [held, arriving] : [arriving, held];
  const from = low.from;
  const to = Math.max(held.to, arriving.to);
  const older = low.from === high.from ? olderOf(low.older, high.older) : low.older;
  return {
    messages: union(held.messages, arriving.messages, newer),
    ...{ from, to, older },
    // What comes after the newest one is told by frames, so whatever reaches over its end is part of it.
    newer: held.newer && arriving.newer,
  };
}

function olderOf(a: boolean | null, b: boolean | null): boolean | null {
  return a === false || b === false ? false : (a ?? b);
}

/** A message is its seq: taken in once, but for one that is `newer` than what is here. */
function union(
  held: readonly Message[],
  arriving: readonly Message[],
  newer: (seq: number) => boolean,
): readonly Message[] {
  const all: Message[] = [];
  let at = 0;
  for (const message of arriving) {
    for (let one = held[at]; one !== undefined && one.seq < message.seq; one = held[at]) {
      all.push(one);
      at += 1;
    }
    const same = held[at];
    if (same?.seq !== message.seq) {
      all.push(message);
      continue;
    }
    at += 1;
    all.push(newer(message.seq) ? message : withReply(same, message));
  }
  return [...all, ...held.slice(at)];
}

/** Live frames do not tell what a message answers. */
function withReply(held: Message, told: Message): Message {
  return held.reply === null && told.reply !== null ? { ...held, reply: told.reply } : held;
}

function meet(a: Segment, b: Segment): boolean {
  return a.from <= b.to && b.from <= a.to;
}

function bySeq(a: Segment, b: Segment): number {
  return a.from - b.from;
}

/** Whether all is known of this place. */
export function isIn({ from, to }: Segment, seq: number): boolean {
  return from <= seq && seq <= to;
}

/** Of the first message that is not before this seq. */
export function indexOf(messages: readonly Message[], seq: number): number {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((messages[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
