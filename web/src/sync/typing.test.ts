import { expect, it } from 'vitest';
import type { ClientFrame } from '../net/frames.ts';
import { Store } from '../store/store.ts';
import { counter } from '../testing/clock.ts';
import { Typing } from './typing.ts';

it('a_clock_that_was_put_back_does_not_hold_up_what_is_told', () => {
  let now = 100_000_000;
  const frames: ClientFrame[] = [];
  const environment = { now: () => now, random: () => 0, frame: () => {}, after: () => () => {} };
  const typing = new Typing({
    environment,
    store: new Store('ada', () => {}),
    nextRef: counter(),
    send: (frame) => frames.push(frame) > 0,
  });
  typing.tell('c');
  now += 2_999;
  typing.tell('c');
  expect(frames).toHaveLength(1);
  now -= 50_000_000;
  typing.tell('c');
  expect(frames).toHaveLength(2);
});
