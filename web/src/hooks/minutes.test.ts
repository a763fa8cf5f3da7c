import { expect, it } from 'vitest';
import { ManualClock } from '../testing/clock.ts';
import { minutes } from './minutes.ts';

const MINUTE_MS = 60_000;

function aPage() {
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  const clock = new ManualClock(Date.parse('2026-05-01T12:00:42Z'));
  const onMinute = minutes(clock, () => page as Document);
  let told = 0;
  return {
    clock,
    listen: () => onMinute(() => (told += 1)),
    told: () => told,
    show: (visibilityState: DocumentVisibilityState) => {
      Object.assign(page, { visibilityState }).dispatchEvent(new Event('visibilitychange'));
    },
  };
}

it('a_minute_that_begins_is_told_to_all_by_one_timer', () => {
  const { clock, listen, told } = aPage();
  expect(clock.pending).toBe(0);
  listen();
  listen();
  expect(clock.pending).toBe(1);
  clock.advance(17_999);
  expect(told()).toBe(0);
  clock.advance(1);
  expect(told()).toBe(2);
  clock.advance(3 * MINUTE_MS);
  expect(told()).toBe(8);
  expect(clock.pending).toBe(1);
});

it('nothing_ticks_where_nobody_listens', () => {
  const { clock, show, listen, told } = aPage();
  const ends = [listen(), listen()];
  ends[0]?.();
  expect(clock.pending).toBe(1);
  ends[1]?.();
  expect(clock.pending).toBe(0);
  show('hidden');
  show('visible');
  expect(clock.pending).toBe(0);
  listen();
  clock.advance(MINUTE_MS);
  expect(told()).toBe(1);
});

it('a_page_that_nobody_sees_waits_and_catches_up_once_it_is_seen', () => {
  const { clock, show, listen, told } = aPage();
  listen();
  show('hidden');
  expect(clock.pending).toBe(0);
  // Whoever begins to listen meanwhile waits as well.
  listen();
  clock.advance(10 * MINUTE_MS);
  expect(told()).toBe(0);
  show('visible');
  expect(told()).toBe(2);
  clock.advance(MINUTE_MS);
  expect(told()).toBe(4);
  expect(clock.pending).toBe(1);
});
