/**
 * The outbox as a pure function. What a person says and does leaves one by one in the order in which they were written: the next one
 * goes when the one before it has its answer, so a refusal for now (a rate, an outage) can't turn two of them round.
 * One that was sent without an answer is sent again with the same id, which the server takes once (CMD2).
 */
import { reconnectDelayMs } from '../net/backoff.ts';
import type { Fault } from '../net/problem.ts';
import type { Topic } from './commands/command.ts';
import { type Command, isAbout, type KindOf } from './commands/commands.ts';

/** How many commands may wait; also what a person can still oversee. */
export const MAX_ENTRIES = 500;
const ANSWER_TIMEOUT_MS = 20_000;

export interface Waiting {
  /** The client id, the same over every retry. */
  id: string;
  /** Ascends in the order of writing. */
  order: number;
  /** The tab that sends it. */
  owner: string;
  /** On the server's clock. */
  composedAt: number;
  fault?: Fault | undefined;
}

export type StoredEntry = Waiting & Command & { status: 'queued' | 'failed' };
export type Entry = Waiting & Command & { status: 'queued' | 'sending' | 'failed' };
/** What waits of these topics. */
export type EntryOf<T extends Topic> = Extract<Entry, { kind: KindOf<T> }>;
export type SendEntry = EntryOf<'said'>;
/** Something done to a message that is in the log. */
export type ChangeEntry = EntryOf<'message'>;
/** What is said or done in a conversation. */
export type ConversationEntry = EntryOf<'said' | 'message'>;
export type BlockEntry = Extract<Entry, { kind: 'block' }>;
/** A room that is to be made, joined, changed or left. */
export type RoomEntry = EntryOf<'room'>;
/** Somebody's place in a room. */
export type MembershipEntry = EntryOf<'membership'>;

export interface Queue {
  entries: readonly Entry[];
  live: boolean;
  /** Nothing is sent before: the server asked for patience. */
  pausedUntil: number;
  /** Refusals for now, in a row. */
  refusals: number;
  sendingSince: number;
  /** Since when the log is the one that it is, on the server's clock: messages that were named before are others there. */
  logSince: number;
}

export type QueueEvent =
  | { type: 'loaded'; entries: readonly StoredEntry[]; owner: string }
  | { type: 'added'; entry: StoredEntry }
  | { type: 'live' }
  | { type: 'down' }
  /** CON3: the log is another one from now on, on the server's clock. */
  | { type: 'other_log'; since: number }
  /** In the log: by an `ok`, by the event itself, or in a page of history. */
  | { type: 'settled'; id: string }
  | { type: 'refused'; id: string; fault: Fault; temporary: boolean; retryAfterMs?: number | undefined }
  | { type: 'retry'; id: string; freshId: string }
  | { type: 'discard'; id: string }
  /** Its id is of a time that is still to come: it was never taken, and gets another one. */
  | { type: 'renamed'; id: string; freshId: string; composedAt: number }
  | { type: 'tick' };

export type QueueEffect =
  | { do: 'send'; entry: Entry }
  | { do: 'put'; entry: StoredEntry }
  | { do: 'remove'; id: string }
  | { do: 'wake_in'; ms: number };

export const emptyQueue: Queue = {
  entries: [],
  live: false,
  pausedUntil: 0,
  refusals: 0,
  sendingSince: 0,
  logSince: 0,
};

type Step = readonly [Queue, readonly QueueEffect[]];

export function reduceQueue(queue: Queue, event: QueueEvent, at: { now: number; random: number }): Step {
  const [changed, effects] = change(queue, event, at);
  const [next, more] = pump(changed, at.now);
  return [next, [...effects, ...more]];
}

function change(queue: Queue, event: QueueEvent, at: { now: number; random: number }): Step {
  switch (event.type) {
    case 'loaded':
      return loaded(queue, event.entries, event.owner);
    case 'added':
      return [{ ...queue, entries: [...queue.entries, event.entry] }, [{ do: 'put', entry: event.entry }]];
    case 'live':
      return [{ ...queue, live: true }, []];
    case 'down':
      return [{ ...requeued(queue), live: false, refusals: 0 }, []];
    case 'other_log':
      return inOtherLog(queue, event.since);
    case 'settled':
      return settled(queue, event.id);
    case 'refused':
      return refused(queue, event, at);
    case 'retry':
      return retried(queue, event.id, event.freshId);
    case 'discard':
      return queue.entries.some(({ id, status }) => id === event.id && status === 'failed')
        ? without(queue, event.id)
        : [queue, []];
    case 'renamed':
      return renamed(queue, event);
    case 'tick':
      return at.now - queue.sendingSince >= ANSWER_TIMEOUT_MS && sendingOf(queue) !== undefined
        ? [paused(requeued(queue), at, undefined), []]
        : [queue, []];
  }
}

/** Sends the first one that waits, if it may go now; else says when to look again. */
function pump(queue: Queue, now: number): Step {
  if (!queue.live) return [queue, []];
  if (sendingOf(queue) !== undefined) return [queue, wakeIn(queue.sendingSince + ANSWER_TIMEOUT_MS - now)];
  const head = queue.entries.find(({ status }) => status === 'queued');
  if (head === undefined) return [queue, []];
  if (queue.pausedUntil > now) return [queue, wakeIn(queue.pausedUntil - now)];
  const entry: Entry = { ...head, status: 'sending' };
  return [
    { ...replaced(queue, head.id, entry), sendingSince: now },
    [{ do: 'send', entry }, ...wakeIn(ANSWER_TIMEOUT_MS)],
  ];
}

function loaded(queue: Queue, stored: readonly StoredEntry[], owner: string): Step {
  const held = new Set(queue.entries.map(({ id }) => id));
  const fresh = stored
    .filter(({ id }) => !held.has(id))
    .map((entry) => ({ ...entry, owner }))
    .map((entry) => (entry.composedAt < queue.logSince ? (lost(entry) ?? entry) : entry));
  if (fresh.length === 0) return [queue, []];
  const entries = [...queue.entries, ...fresh].sort((a, b) => a.order - b.order);
  return [{ ...queue, entries }, fresh.map((entry) => ({ do: 'put', entry }))];
}

function inOtherLog(queue: Queue, logSince: number): Step {
  const failed = queue.entries.map(lost).filter((entry) => entry !== null);
  const next = failed.reduce((so, entry) => replaced(so, entry.id, entry), { ...queue, logSince });
  return [next, failed.map((entry) => ({ do: 'put', entry }))];
}

/**
 * What names a message, in a log where that is another one: it is not done. What was said of it can still be said by
 * itself. Null where nothing is named.
 */
function lost(entry: Entry): StoredEntry | null {
  const failed = { status: 'failed', fault: { code: 'other_log', message: '' } } as const;
  if (isAbout(entry, 'message')) return { ...entry, ...failed };
  if (entry.kind !== 'send' || (entry.replyTo ?? entry.thread) === undefined) return null;
  const { replyTo: _, thread: __, ...alone } = entry;
  return { ...alone, ...failed };
}

/** Whether it can be tried again. */
export function canRetry(entry: Entry): boolean {
  return entry.fault?.code !== 'other_log' || !isAbout(entry, 'message');
}

function settled(queue: Queue, id: string): Step {
  const [next, effects] = without(queue, id);
  return [effects.length === 0 ? next : { ...next, refusals: 0 }, effects];
}

function refused(
  queue: Queue,
  event: QueueEvent & { type: 'refused' },
  at: { now: number; random: number },
): Step {
  const entry = queue.entries.find(({ id }) => id === event.id);
  if (entry?.status !== 'sending') return [queue, []];
  // A session that ends says nothing about the message; it waits for the next one.
  if (event.temporary || event.fault.code === 'unauthenticated') {
    return [paused(requeued(queue), at, event.retryAfterMs), []];
  }
  const failed = { ...entry, status: 'failed', fault: event.fault } as const;
  return [{ ...replaced(queue, entry.id, failed), refusals: 0 }, [{ do: 'put', entry: failed }]];
}

/** The same id again, but for one that the server knows with another text: that id is used up. */
function retried(queue: Queue, id: string, freshId: string): Step {
  const entry = queue.entries.find((held) => held.id === id);
  if (entry?.status !== 'failed' || !canRetry(entry)) return [queue, []];
  const { fault, ...rest } = entry;
  if (fault?.code !== 'conflict') {
    const again = { ...rest, status: 'queued' } as const;
    return [replaced(queue, id, again), [{ do: 'put', entry: again }]];
  }
  return requeuedAs(queue, id, { ...rest, id: freshId, status: 'queued' });
}

function renamed(queue: Queue, event: QueueEvent & { type: 'renamed' }): Step {
  const { id, freshId, composedAt } = event;
  const entry = queue.entries.find((held) => held.id === id);
  return entry?.status === 'sending'
    ? requeuedAs(queue, id, { ...entry, id: freshId, composedAt, status: 'queued' })
    : [queue, []];
}

function requeuedAs(queue: Queue, id: string, entry: StoredEntry): Step {
  return [
    replaced(queue, id, entry),
    [
      { do: 'put', entry },
      { do: 'remove', id },
    ],
  ];
}

function paused(queue: Queue, at: { now: number; random: number }, toldMs: number | undefined): Queue {
  const delay = toldMs ?? reconnectDelayMs(queue.refusals, at.random);
  return { ...queue, refusals: queue.refusals + 1, pausedUntil: at.now + Math.min(delay, 300_000) };
}

function requeued(queue: Queue): Queue {
  const sending = sendingOf(queue);
  return sending === undefined ? queue : replaced(queue, sending.id, { ...sending, status: 'queued' });
}

function sendingOf(queue: Queue): Entry | undefined {
  return queue.entries.find(({ status }) => status === 'sending');
}

function replaced(queue: Queue, id: string, entry: Entry): Queue {
  return { ...queue, entries: queue.entries.map((held) => (held.id === id ? entry : held)) };
}

function without(queue: Queue, id: string): Step {
  const entries = queue.entries.filter((held) => held.id !== id);
  return entries.length === queue.entries.length
    ? [queue, []]
    : [{ ...queue, entries }, [{ do: 'remove', id }]];
}

function wakeIn(ms: number): QueueEffect[] {
  return [{ do: 'wake_in', ms: Math.max(0, ms) }];
}
