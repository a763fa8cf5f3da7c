import type { Locator } from 'playwright-core';
import { eventually } from './eventually.ts';

/** Where the keyboard is. */
export async function hasFocus(element: Locator): Promise<void> {
  await eventually(() => element.evaluate((it) => it === document.activeElement), true);
}
