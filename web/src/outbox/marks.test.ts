import { beforeEach, describe, expect, it } from 'vitest';
import type { ClientFrame, OkFrame } from '../net/frames.ts';
import { counter, ManualClock } from '../testing/clock.ts';
import { Marks } from './marks.ts';

let clock: ManualClock;
let frames: (ClientFrame & { type: 'mark' })[];
let marks: Marks;

beforeEach(() => {
  clock = new ManualClock();
  frames = [];
  const nextId = counter();
  marks = new Marks({
    environment: clock,
    makeId: () => `id-${nextId()}`,
    nextRef: counter(),
    send(frame) {
      if (frame.type === 'mark') frames.push(frame);
      return true;
    },
  });
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

  it('a_final_refusal_is_not_repeated', () => {
    marks.live();
    marks.mark('c', 3);
    marks.answered({ type: 'error', ref: 1, code: 'not_found', message: '', temporary: false });
    clock.advance(60_000);
    expect(frames).toHaveLength(1);
  });
});
