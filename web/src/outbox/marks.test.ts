import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ClientFrame, OkFrame } from '../net/frames.ts';
import { counter, ManualClock } from '../testing/clock.ts';
import { openDatabase, Shelf } from './database.ts';
import { Marks } from './marks.ts';

let clock: ManualClock;
let frames: (ClientFrame & { type: 'mark' })[];
let marks: Marks;
let nextRef: () => number;
let nextId: () => number;
let database: Promise<IDBDatabase | null>;
let marked: string[];

beforeEach(() => {
  clock = new ManualClock();
  frames = [];
  database = openDatabase(new IDBFactory(), 'ada');
  marked = [];
  nextRef = counter();
  nextId = counter();
  marks = make();
});

const make = () =>
  new Marks({
    environment: clock,
    makeId: () => `id-${nextId()}`,
    nextRef,
    keep: { database },
    marked: (upTo, { seq }) => marked.push(`${upTo.thread} ${upTo.read} at ${seq}`),
    send(frame) {
      if (frame.type === 'mark') frames.push(frame);
      return true;
    },
  });

const said = () => frames.map(({ id, read }) => `${id} ${read}`);
const ok = (ref: number): OkFrame => ({ type: 'ok', ref, duplicate: false });

describe('read markers', () => {
  it('only_the_furthest_goes_and_one_at_a_time', () => {
    marks.live();
    marks.mark('c', 3);
    marks.mark('c', 5);
    marks.mark('c', 4);
    expect(said()).toEqual(['id-1 3']);
    marks.answered(ok(1));
    clock.advance(1_000);
    expect(said()).toEqual(['id-1 3', 'id-2 5']);
    marks.answered(ok(2));
    clock.advance(60_000);
    expect(frames).toHaveLength(2);
  });

  it('cmd3_one_without_an_answer_goes_again_with_the_same_id', () => {
    marks.live();
    marks.mark('c', 3);
    marks.down();
    clock.advance(2_000);
    marks.live();
    expect(said()).toEqual(['id-1 3', 'id-1 3']);
  });

  it('cmd2_one_that_says_more_by_then_has_a_new_id', () => {
    marks.live();
    marks.mark('c', 3);
    marks.down();
    marks.mark('c', 6);
    clock.advance(2_000);
    marks.live();
    expect(said()).toEqual(['id-1 3', 'id-2 6']);
  });

  it('cmd5_waits_when_it_is_told_to', () => {
    marks.live();
    marks.mark('c', 3);
    marks.answered({
      type: 'error',
      ref: 1,
      code: 'rate_limited',
      message: '',
      temporary: true,
      retryAfterMs: 7_000,
    });
    clock.advance(6_999);
    expect(frames).toHaveLength(1);
    clock.advance(1);
    expect(said()).toEqual(['id-1 3', 'id-1 3']);
  });

  it('cmd2_an_id_of_a_time_to_come_is_not_waited_for', () => {
    const marks = make();
    marks.live();
    marks.mark('c', 3);
    const [first] = said();
    marks.answered({
      ...{ type: 'error', ref: 1, code: 'unavailable', message: '', temporary: true },
      retryAfterMs: 30 * 3_600_000,
    });
    clock.advance(60_000);
    expect(said()).toHaveLength(2);
    expect(said()[1]).not.toBe(first);
  });

  it('a_final_refusal_is_not_repeated', () => {
    marks.live();
    marks.mark('c', 3);
    marks.answered({ type: 'error', ref: 1, code: 'not_found', message: '', temporary: false });
    clock.advance(60_000);
    expect(frames).toHaveLength(1);
  });

  it('of_a_thread_go_beside_those_of_its_conversation', () => {
    marks.live();
    marks.mark('c', 3);
    marks.mark('c', 9, 2);
    marks.mark('c', 8, 2);
    expect(frames.map(({ read, thread }) => [read, thread])).toEqual([
      [3, undefined],
      [9, 2],
    ]);
    marks.answered({ ...ok(2), seq: 12 });
    expect(marked).toEqual(['2 9 at 12']);
    expect(marks.waiting).toEqual([{ conversation: 'c', thread: null, read: 3 }]);
  });

  it('what_was_not_confirmed_is_said_by_the_next_page', async () => {
    marks.mark('c', 3);
    marks.mark('c', 9, 2);
    marks.mark('d', 4);
    const shelf = new Shelf<{ key: string }>(database, 'marks');
    await shelf.put({ key: 'e', ...{ conversation: 'e', read: 'all' } });
    marks.close();
    const next = make();
    await next.adopt();
    next.live();
    expect(frames.map(({ conversation, read, thread }) => [conversation, read, thread])).toEqual([
      ['c', 3, undefined],
      ['c', 9, 2],
      ['d', 4, undefined],
    ]);
    for (const ref of [1, 2, 3]) next.answered(ok(ref));
    expect(await shelf.all()).toMatchObject([{ key: 'e' }]);
  });

  it('con3_another_log_knows_nothing_of_them', async () => {
    marks.mark('c', 3);
    marks.forget();
    expect(await new Shelf(database, 'marks').all()).toEqual([]);
    marks.live();
    expect(frames).toEqual([]);
  });
});
