import { beforeEach, describe, expect, it } from 'vitest';
import type { ClientFrame } from '../net/frames.ts';

import { counter, ManualClock } from '../testing/clock.ts';
import { OwnStatus } from './status.ts';

let clock: ManualClock;
let kept: Map<string, unknown>;
let frames: ClientFrame[];
let nextRef: () => number;

const make = () =>
  new OwnStatus({
    environment: clock,
    settings: { get: (key) => kept.get(key), set: (key, value) => void kept.set(key, value) },
    nextRef,
    send: (frame) => frames.push(frame) > 0,
  });
const said = () => frames.map((frame) => frame.type === 'presence' && [frame.status, frame.text]);
const ok = (ref: number) => ({ type: 'ok', ref, duplicate: false }) as const;

beforeEach(() => {
  clock = new ManualClock();
  kept = new Map();
  frames = [];
  nextRef = counter();
});

describe('what one wants others to see', () => {
  it('is_said_at_once_and_again_in_every_session_also_after_a_reload', () => {
    const status = make();
    status.live();
    expect(frames).toEqual([]);
    expect(status.choose({ status: 'busy', text: 'in a meeting' })).toBeNull();
    expect(status.chosen.status).toBe('busy');
    status.answered(ok(1));
    status.down();
    status.live();
    status.down();
    const next = make();
    next.adopt();
    next.live();
    expect(said()).toEqual(Array(3).fill(['busy', 'in a meeting']));
  });

  it('is_said_once_it_can_be_also_where_it_is_what_it_was_at_first', () => {
    const status = make();
    status.choose({ status: 'busy', text: '' });
    status.choose({ status: 'online', text: '' });
    expect(frames).toEqual([]);
    status.live();
    expect(said()).toEqual([['online', undefined]]);
    status.answered(ok(1));
    status.down();
    status.live();
    expect(frames).toHaveLength(1);
  });

  it('goes_one_at_a_time_and_the_last_one_stands', () => {
    const status = make();
    status.live();
    status.choose({ status: 'away', text: '' });
    status.choose({ status: 'busy', text: '' });
    status.choose({ status: 'invisible', text: '' });
    expect(said()).toEqual([['away', undefined]]);
    status.answered(ok(1));
    expect(said().at(-1)).toEqual(['invisible', undefined]);
  });

  it('cmd5_waits_when_it_is_told_to_and_is_not_repeated_where_it_is_refused_for_good', () => {
    const status = make();
    status.live();
    status.choose({ status: 'busy', text: '' });
    const error = { type: 'error', code: 'rate_limited', message: '' } as const;
    status.answered({ ...error, ref: 1, temporary: true, retryAfterMs: 3_000 });
    clock.advance(2_999);
    expect(frames).toHaveLength(1);
    clock.advance(1);
    expect(frames).toHaveLength(2);
    status.answered({ ...error, ref: 2, code: 'invalid', temporary: false });
    clock.advance(60_000);
    expect(frames).toHaveLength(2);
  });

  it('is_one_line_of_100_characters', () => {
    const status = make();
    expect(status.choose({ status: 'busy', text: 'two\nlines' })).toBe('control_character');
    expect(status.choose({ status: 'busy', text: 'x'.repeat(101) })).toBe('too_long');
    expect(status.chosen.status).toBe('online');
  });

  it('is_taken_from_the_device_only_where_it_is_one', () => {
    kept.set('status', { status: 'dancing', text: '' });
    const status = make();
    status.adopt();
    status.live();
    expect(frames).toEqual([]);
  });
});
