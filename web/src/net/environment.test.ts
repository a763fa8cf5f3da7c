import { expect, it } from 'vitest';
import { steady } from './environment.ts';

const HOUR_MS = 3_600_000;

it('a_clock_that_is_put_back_goes_on_and_one_that_is_put_forward_is_followed', () => {
  let clock = 10 * HOUR_MS;
  const now = steady(() => clock);
  clock += 5;
  expect(now()).toBe(10 * HOUR_MS + 5);
  clock -= 3 * HOUR_MS;
  expect(now()).toBe(10 * HOUR_MS + 5);
  clock += 7;
  expect(now()).toBe(10 * HOUR_MS + 12);
  clock -= HOUR_MS;
  clock += 1;
  expect(now()).toBe(10 * HOUR_MS + 12);
  clock += 2 * HOUR_MS;
  expect(now()).toBe(12 * HOUR_MS + 12);
});
