/**
 * The whole store, against a log that is drawn at random: frames in their order with cuts, repeats, resets and reloads, and pages
 * of any kind, each as history was at any moment since the reset, which come in as late as they like. At the end it
 * knows the same as a store that has just read everything.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CONVERSATIONS,
  type Draw,
  framesOf,
  HistoryAt,
  keyOfPlace,
  ME,
  type Place,
} from '../testing/world.ts';
import { type Change, fold } from './fold.ts';
import { isIn, MAX_SEGMENTS } from './segments.ts';
import { conversationShown, conversationsShown, timelineShown } from './shown.ts';
import { restoring, snapshotOf } from './snapshot.ts';
import { initialState, type Message, type State } from './state.ts';
import {
  type Place as Asked,
  answered,
  newestOf,
  rootOfKey,
  shownSegment,
  type Timeline,
  timelineKey,
} from './timeline.ts';
import { isUnsure, mentionCount, unreadCount } from './unread.ts';

const PER_PAGE = 4;
/** Making a counterexample small may take for ever, and this says as much. */
const LIMIT_MS = 100_000;

type Step =
  | { do: 'deliver'; n: number }
  | { do: 'repeat'; n: number }
  | { do: 'reset'; n: number; other: boolean }
  | {
      do: 'ask';
      what: 'newest' | 'older' | 'newer' | 'around' | 'list' | 'row' | 'blocks';
      place: number;
      pick: number;
      ahead: number;
      thread: boolean;
    }
  | { do: 'answer'; pick: number }
  | { do: 'open'; place: number }
  | { do: 'thread'; place: number; pick: number }
  | { do: 'close_thread' }
  | { do: 'look'; place: number; pick: number }
  | { do: 'reload' };

const small = fc.nat({ max: 50 });
/** Mostly one and the same conversation, so that much happens in it. */
const somewhere = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: small });
const drawn: fc.Arbitrary<Draw[]> = fc.array(
  fc.record({
    what: fc.oneof(
      { weight: 50, arbitrary: fc.constant('message' as const) },
      { weight: 20, arbitrary: fc.constant('thread' as const) },
      {
        weight: 50,
        arbitrary: fc.constantFrom<Draw['what']>(
          'edit',
          'delete',
          'react',
          'pin',
          'read',
          'thread_read',
          'rename',
          'mute',
          'block',
        ),
      },
      { weight: 1, arbitrary: fc.constant('leave' as const) },
    ),
    ...{ place: somewhere, who: small, pick: small, flag: fc.boolean() },
  }) as fc.Arbitrary<Draw>,
  { minLength: 1, maxLength: 80, size: 'max' },
);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('deliver' as const), n: fc.integer({ min: 1, max: 12 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('repeat' as const), n: fc.integer({ min: 1, max: 8 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('reset' as const),
        n: fc.nat({ max: 10 }),
        other: fc.boolean(),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('ask' as const),
        what: fc.constantFrom('newest', 'older', 'newer', 'around', 'list', 'row', 'blocks'),
        ...{ place: somewhere, pick: small, ahead: small, thread: fc.boolean() },
      }) as fc.Arbitrary<Step>,
    },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('answer' as const), pick: small }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('open' as const), place: somewhere }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('thread' as const), place: somewhere, pick: small }),
    },
    { weight: 1, arbitrary: fc.constant({ do: 'close_thread' as const }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('look' as const), place: somewhere, pick: small }) },
    { weight: 1, arbitrary: fc.constant({ do: 'reload' as const }) },
  ) as fc.Arbitrary<Step>,
  { maxLength: 60, size: 'max' },
);

/** One person's page, played. */
class Player {
  state = initialState(ME);
  readonly #frames: ReturnType<typeof framesOf>;
  /** How many facts the session has told, or were told of before it began; and of its reset. */
  #told: number;
  #since: number;
  readonly #waiting: { change: Change; thread: string | null }[] = [];

  constructor(draws: Draw[], begin: number) {
    this.#frames = framesOf(draws);
    this.#told = begin % (this.#frames.length + 1);
    this.#since = this.#told;
    this.#reset('fresh');
  }

  play(step: Step): void {
    switch (step.do) {
      case 'deliver':
        for (let n = 0; n < step.n; n += 1) this.#deliver();
        return;
      case 'repeat':
        for (const frame of this.#frames.slice(Math.max(this.#since, this.#told - step.n), this.#told))
          this.#apply({ type: 'frame', frame, now: 0 });
        return;
      case 'reset':
        this.#told = Math.min(this.#frames.length, this.#told + step.n);
        this.#since = this.#told;
        this.#reset(step.other ? 'other_log' : 'too_much');
        return;
      case 'ask':
        this.#ask(step, this.#place(step.place));
        return;
      case 'answer':
        this.#answer(step.pick);
        return;
      case 'open':
        this.#apply({ type: 'opened', key: keyOfPlace(this.#place(step.place)) });
        this.#forgetClosed();
        return;
      case 'thread': {
        const place = this.#place(step.place);
        const roots = this.#historyAt(this.#told).all(place);
        const root = roots[step.pick % Math.max(1, roots.length)];
        // What was asked of a thread before it was closed is nobody's question any more.
        this.#apply({ type: 'thread_opened', timeline: null });
        this.#forgetClosed();
        if (root) this.#apply({ type: 'thread_opened', timeline: timelineKey(place.id, root.seq) });
        return;
      }
      case 'close_thread':
        this.#apply({ type: 'thread_opened', timeline: null });
        this.#forgetClosed();
        return;
      case 'look': {
        const place = this.#place(step.place);
        const seq = step.pick % 5 === 0 ? null : step.pick;
        this.#apply({ type: 'shown', timeline: place.id, seq });
        return;
      }
      case 'reload':
        this.#reload();
    }
  }

  /** All that is under way arrives. */
  finish(): void {
    while (this.#told < this.#frames.length) this.#deliver();
    while (this.#waiting.length > 0) this.#answer(0);
    // Who read on another device what is not here is counted again.
    const now = this.#historyAt(this.#frames.length);
    for (const place of CONVERSATIONS) {
      const held = this.state.conversations.get(place.id);
      if (held && isUnsure(held, ME)) this.#row(now, place);
    }
    // What is known of a room from frames alone waits for its row.
    for (const place of CONVERSATIONS)
      if (
        !now.left(place) &&
        this.state.conversations.has(place.id) &&
        now.list().some((row) => row.conversation === place.id)
      )
        if (this.state.conversations.get(place.id)?.tally.counted.lastSeq === 0) this.#row(now, place);
  }

  #row(history: HistoryAt, place: Place): void {
    this.#apply({ type: 'row', generation: this.state.generation, item: history.row(place) });
  }

  /** The same, read at once. */
  fresh(): State {
    const history = this.#historyAt(this.#frames.length);
    const begun = fold(initialState(ME), reset('fresh'));
    const generation = begun.generation;
    const whole: Change[] = [
      { type: 'list_page', generation, page: { items: history.list(), next: null, position: 'h' } },
      { type: 'blocks_read', generation, users: history.blocked },
      ...CONVERSATIONS.filter((place) => !history.left(place)).map((place): Change => {
        const page = history.newest(place, null, 1_000);
        return pageChange(generation, place, null, { at: 'newest' }, page);
      }),
    ];
    return whole.reduce(fold, begun);
  }

  threadNow(): MessagesAt {
    const { thread } = this.state;
    if (thread === null) return [];
    const place = CONVERSATIONS.find(({ id }) => thread.startsWith(`${id}/`));
    return place ? this.#historyAt(this.#frames.length).all(place, rootOfKey(thread)) : [];
  }

  #deliver(): void {
    const frame = this.#frames[this.#told];
    if (frame === undefined) return;
    this.#told += 1;
    this.#apply({ type: 'frame', frame, now: 0 });
  }

  #ask(step: Extract<Step, { do: 'ask' }>, place: Place): void {
    const { generation, thread } = this.state;
    const line = step.thread ? thread : place.id;
    const at =
      line === null ? undefined : CONVERSATIONS.find(({ id }) => line === id || line.startsWith(`${id}/`));
    // What joins what is held knows all that the session has told; the others need only be as new as the reset.
    const root = line === null ? null : rootOfKey(line);
    const joins = root !== null || ['older', 'newer', 'around'].includes(step.what);
    const from = joins ? this.#told : this.#since;
    const history = this.#historyAt(from + (step.ahead % (this.#frames.length - from + 1)));
    const wait = (change: Change) => this.#waiting.push({ change, thread: root === null ? null : line });
    if (step.what === 'blocks') return void wait({ type: 'blocks_read', generation, users: history.blocked });
    if (step.what === 'list')
      return void wait({
        type: 'list_page',
        generation,
        page: { items: history.list(), next: null, position: 'h' },
      });
    if (at === undefined || line === null || history.left(at)) return;
    if (step.what === 'row')
      return void (history.all(at).length > 0 && wait({ type: 'row', generation, item: history.row(at) }));
    const page = (place: Asked, page: ReturnType<HistoryAt['newest']>) =>
      wait(pageChange(generation, at, root, place, page));
    if (step.what === 'newest') return void page({ at: 'newest' }, history.newest(at, root, PER_PAGE));
    if (step.what === 'around') {
      const found = history.around(at, root, step.pick, PER_PAGE);
      const older = found.items.filter(({ seq }) => seq < step.pick).length >= PER_PAGE / 2;
      return void page({ at: 'around', older }, found);
    }
    const segments = this.state.timelines.get(line)?.segments ?? [];
    const segment = segments[step.pick % Math.max(1, segments.length)];
    const seq = segment?.messages.at(step.what === 'older' ? 0 : -1)?.seq;
    if (segment === undefined || seq === undefined) return;
    if (step.what === 'older') page({ at: 'before', seq }, history.before(at, root, seq, PER_PAGE));
    else if (segment.newer) page({ at: 'after', seq }, history.after(at, root, seq, PER_PAGE));
  }

  #answer(pick: number): void {
    const [found] = this.#waiting.splice(pick % Math.max(1, this.#waiting.length), 1);
    if (found !== undefined) this.#apply(found.change);
  }

  /** The page is left, and another one goes on with what it knew. */
  #reload(): void {
    const known = snapshotOf(this.state, 'p');
    // Whatever was asked for does not arrive any more.
    this.#waiting.length = 0;
    this.#since = this.#told;
    this.state = initialState(ME);
    if (known === null) this.#reset('fresh');
    else for (const change of restoring(known)) this.#apply(change);
  }

  #forgetClosed(): void {
    for (const waiting of [...this.#waiting])
      if (waiting.thread !== null && waiting.thread !== this.state.thread)
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
  }

  #reset(reason: string): void {
    this.#apply(reset(reason));
  }

  #apply(change: Change): void {
    const before = this.state;
    this.state = fold(before, change);
    for (const timeline of this.state.timelines.values())
      if (timeline !== before.timelines.get(timeline.key)) expectInvariants(timeline);
  }

  #historyAt(upTo: number): HistoryAt {
    return new HistoryAt(this.#frames, upTo);
  }

  #place(n: number): Place {
    return CONVERSATIONS[n % CONVERSATIONS.length] ?? CONVERSATIONS[0];
  }
}

type MessagesAt = ReturnType<HistoryAt['all']>;

const reset = (reason: string): Change => ({
  ...{ type: 'frame', now: 0 },
  frame: { type: 'reset', reason, position: 'p0' },
});

function pageChange(
  generation: number,
  place: Place,
  thread: number | null,
  asked: Asked,
  page: ReturnType<HistoryAt['newest']>,
): Change {
  const participants = place.people ?? [];
  return {
    type: 'messages_page',
    generation,
    key: keyOfPlace(place),
    participants,
    thread,
    place: asked,
    page,
  };
}

function expectInvariants(timeline: Timeline): void {
  const { segments } = timeline;
  const holds = (rule: string, so: boolean) => {
    if (!so) throw new Error(`${rule}: ${JSON.stringify(timeline)}`);
  };
  holds('a bounded number', segments.length <= MAX_SEGMENTS);
  holds('one is the newest', segments.filter(({ newer }) => !newer).length <= 1);
  for (const [index, { from, to, messages }] of segments.entries()) {
    holds('apart and in order', from > (segments[index - 1]?.to ?? -1));
    for (const [at, { seq }] of messages.entries()) {
      holds('within', seq >= from && seq <= to);
      holds('each once and in order', seq > (messages[at - 1]?.seq ?? -1));
    }
  }
}

/** As it is on the screen; how it is remembered is nobody's business. */
function seen(timeline: Timeline, message: Message) {
  const {
    reply: _,
    replies,
    thread: __,
    conversation: ___,
    ...rest
  } = message as Message & { thread?: unknown; conversation?: unknown };
  const { count, lastAt, unread } = replies ?? {};
  return { ...rest, answers: answered(timeline, message), replies: replies && { count, lastAt, unread } };
}

function expectSame(timeline: Timeline, truth: readonly Message[]): void {
  for (const segment of timeline.segments) {
    const there = truth.filter(({ seq }) => isIn(segment, seq));
    expect(segment.messages.map(({ seq }) => seq)).toEqual(there.map(({ seq }) => seq));
    const whole = {
      ...timeline,
      segments: [{ ...segment, messages: truth, from: 0, to: Number.MAX_SAFE_INTEGER }],
    };
    for (const message of segment.messages) {
      const real = truth.find(({ seq }) => seq === message.seq);
      if (real === undefined) throw new Error(`${message.seq} was never said`);
      const mine = seen(timeline, message);
      const theirs = seen(whole, real);
      // Live frames do not tell what a message answers, and that may not be here.
      expect(mine.answers === null ? { ...mine, answers: theirs.answers } : mine).toEqual(theirs);
    }
    if (segment.older === false) expect(truth[0]?.seq).toBe(segment.messages[0]?.seq);
    if (!segment.newer && segment.messages.length > 0)
      expect(segment.messages.at(-1)?.seq).toBe(truth.at(-1)?.seq);
  }
}

describe('con5_the_whole_store', () => {
  it(
    'knows_in_the_end_what_history_knows_whatever_came_when',
    () => {
      fc.assert(
        fc.property(drawn, fc.nat(), steps, (draws, begin, played) => {
          const player = new Player(draws, begin);
          for (const step of played) {
            player.play(step);
            // Whatever is shown meanwhile, there is something to show.
            for (const { id } of CONVERSATIONS) {
              const timeline = timelineShown(player.state, id);
              if (timeline) expectInvariants(timeline);
              if (timeline && newestOf(timeline)) expect(shownSegment(timeline)).toBeDefined();
              expect(conversationsShown(player.state).get(id)).toBe(conversationShown(player.state, id));
            }
          }
          player.finish();
          const { state } = player;
          const fresh = player.fresh();
          for (const [id, held] of state.conversations) {
            const real = fresh.conversations.get(id);
            if (real === undefined) throw new Error(`${id} is not there any more`);
            // A frame that is not of a message tells nothing of what the conversation is.
            if (held.tally.counted.lastSeq === 0 && held.last === null) continue;
            expect([id, unreadCount(held, ME), mentionCount(held, ME)]).toEqual([
              ...[id, unreadCount(real, ME), mentionCount(real, ME)],
            ]);
            expect(held.last?.seq).toBe(real.last?.seq);
            expect(held.last?.text).toBe(real.last?.text);
            expect(held.read.get(ME) ?? 0).toBe(real.read.get(ME) ?? 0);
            if (held.room) expect([held.room, held.preferences]).toEqual([real.room, real.preferences]);
          }
          for (const timeline of state.timelines.values()) {
            const main = rootOfKey(timeline.key) === null;
            const truth = main
              ? fresh.timelines.get(timeline.key)?.segments[0]?.messages
              : player.threadNow();
            expectSame(timeline, (truth ?? []) as readonly Message[]);
          }
          if (state.blocksRead) expect([...state.blocked].sort()).toEqual([...fresh.blocked].sort());
        }),
        // Making a counterexample small is not worth more than this.
        {
          numRuns: Number(process.env.STORE_RUNS ?? 150),
          plugins: [fc.interruptAfterTimeLimit(LIMIT_MS, { failOnInterrupt: true })],
        },
      );
    },
    LIMIT_MS + 20_000,
  );
});
