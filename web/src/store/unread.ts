/** How many messages are unread: what a row of the list counted, and what is known of others' messages beside it. */
import type { Conversation, Message } from './state.ts';

/** Known messages of others; of more than this the older ones are only a number. */
export const MAX_TALLIED = 500;

/**
 * Invariants: `counted` is one snapshot: `unread` messages of others after `read`, among all up to `lastSeq`, and how
 * many mention this person; what was said in threads is counted only where it mentions them. `others` are those of others, outside of threads, that frames and pages
 * brought, by seq: all that came after `lastSeq`, and of those before it as many as happen to be known. So the number
 * depends neither on the order of arrival nor on which messages a timeline holds.
 */
export interface Tally {
  counted: Counted;
  others: readonly Other[];
}

export interface Counted {
  lastSeq: number;
  read: number;
  unread: number;
  mentions: number;
  /** Mentions in threads, which reading the conversation does not read. */
  inThreads: number;
}

interface Other {
  seq: number;
  /** It mentions this person, or everybody. */
  mentions: boolean;
}

export const UNCOUNTED: Tally = {
  counted: { lastSeq: 0, read: 0, unread: 0, mentions: 0, inThreads: 0 },
  others: [],
};

/** How many messages of others come after what this person has read. */
export function unreadCount(conversation: Conversation, me: string): number {
  return countsOf(conversation, me).unread;
}

/** How many of those mention `me`, and of what is unread in threads. */
export function mentionCount(conversation: Conversation, me: string): number {
  return countsOf(conversation, me).mentions;
}

/** Whether the count is only a guess: one has read some of what was counted, and not all of that is known. */
export function isUnsure({ tally, read }: Conversation, me: string): boolean {
  const { counted, others } = tally;
  const upTo = read.get(me) ?? 0;
  if (upTo <= counted.read || upTo >= counted.lastSeq) return false;
  return countIn(others, counted.read, counted.lastSeq, () => true) !== counted.unread;
}

/** Whether what was counted may be in threads: how it is with those, history alone knows. */
export function mayBeInThreads({ tally }: Conversation): boolean {
  return tally.counted.mentions + tally.counted.inThreads > 0;
}

export function withOther(tally: Tally, message: Message, me: string, read: number): Tally {
  const { seq, sender } = message;
  if (sender === me || seq <= tally.counted.read) return tally;
  const [oldest] = tally.others;
  // It was counted, and enough of those are known one by one.
  if (tally.others.length >= MAX_TALLIED && seq <= tally.counted.lastSeq && oldest && seq < oldest.seq)
    return tally;
  const mentions = message.mentionsRoom || message.mentions.includes(me);
  const at = tally.others.findLastIndex((other) => other.seq <= seq);
  const held = tally.others[at];
  if (held?.seq === seq) {
    // One that was deleted before this page was read mentions nobody any more.
    if (held.mentions === mentions) return tally;
    return { ...tally, others: tally.others.with(at, { seq, mentions }) };
  }
  return bounded({ ...tally, others: tally.others.toSpliced(at + 1, 0, { seq, mentions }) }, read);
}

/** A deletion takes back whom a message mentions, not that there was something to read. */
export function withoutMention(tally: Tally, seq: number): Tally {
  const at = tally.others.findIndex((other) => other.seq === seq && other.mentions);
  return at < 0 ? tally : { ...tally, others: tally.others.with(at, { seq, mentions: false }) };
}

/**
 * A row of the list, true at some position. Positions can't be compared, but what a row counts is told by its last
 * message and the caller's marker: of two rows the one that has seen more of either wins.
 */
export function withCounted(tally: Tally, seen: Omit<Counted, 'inThreads'>): Tally {
  const { lastSeq, read } = tally.counted;
  const newer = seen.lastSeq > lastSeq || (seen.lastSeq === lastSeq && seen.read >= read);
  if (!newer) return tally;
  // A row counts both together: more mentions than messages are in threads for sure, and once those are read, all are.
  const inThreads = Math.max(0, seen.mentions - seen.unread);
  const counted = { ...seen, mentions: seen.mentions - inThreads, inThreads };
  return { counted, others: tally.others.filter(({ seq }) => seq > seen.read) };
}

function bounded({ counted, others }: Tally, read: number): Tally {
  if (others.length <= 2 * MAX_TALLIED) return { counted, others };
  const cut = others.length - MAX_TALLIED;
  const lastSeq = others[cut - 1]?.seq ?? 0;
  // What is let go was counted before, or is from now on.
  if (lastSeq <= counted.lastSeq) return { counted, others: others.slice(cut) };
  const before = others.slice(0, cut);
  const unread = countAfterRead(counted, before, read, counted.unread, () => true);
  const mentions = countAfterRead(counted, before, read, counted.mentions, ({ mentions }) => mentions);
  return {
    counted: { lastSeq, read: Math.max(read, counted.read), unread, mentions, inThreads: counted.inThreads },
    others: others.slice(cut),
  };
}

const known = new WeakMap<Conversation, { me: string; unread: number; mentions: number }>();

/** Counted once for each state of a conversation. */
function countsOf(conversation: Conversation, me: string): { unread: number; mentions: number } {
  const held = known.get(conversation);
  if (held?.me === me) return held;
  const { counted, others } = conversation.tally;
  const read = conversation.read.get(me) ?? 0;
  const unread = countAfterRead(counted, others, read, counted.unread, () => true);
  const mentions = countAfterRead(counted, others, read, counted.mentions, ({ mentions }) => mentions);
  const counts = { me, unread, mentions: mentions + counted.inThreads };
  known.set(conversation, counts);
  return counts;
}

/** Of messages of others: what a snapshot counted, less what was read since, and what came since. */
function countAfterRead(
  counted: Counted,
  others: readonly Other[],
  read: number,
  before: number,
  counts: (other: Other) => boolean,
): number {
  const since = countIn(others, Math.max(counted.lastSeq, read), Number.POSITIVE_INFINITY, counts);
  if (read >= counted.lastSeq) return since;
  return Math.max(0, before - countIn(others, counted.read, read, counts)) + since;
}

function countIn(
  others: readonly Other[],
  after: number,
  upTo: number,
  counts: (other: Other) => boolean,
): number {
  return others.reduce(
    (n, other) => (other.seq > after && other.seq <= upTo && counts(other) ? n + 1 : n),
    0,
  );
}
