import { expect, vi } from 'vitest';

/** How long something may take to show: for a machine that is busy with something else. */
export const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 50;

/** Looks until it sees what is expected; if it never does, the failure shows what it saw last. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  expected: T,
  timeout = PATIENCE_MS,
): Promise<void> {
  await vi.waitFor(async () => expect(await look()).toEqual(expected), { timeout, interval: LOOK_EVERY_MS });
}
