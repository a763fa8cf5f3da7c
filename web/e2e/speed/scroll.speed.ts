import type { Page } from 'playwright-core';
import { afterAll } from 'vitest';
import { closeBrowser } from '../stage/story.ts';
import { sayAll } from './crowd.ts';
import { noteFrames, noteMemory, turnWheel } from './frames.ts';
import { measure, noteTimes } from './measure.ts';
import { inRoom } from './room.ts';

afterAll(closeBrowser);

const MESSAGES = Number(process.env.SPEED_MESSAGES ?? 100_000);
/** A notch of a wheel for each frame: some ten screens in a second. */
const NOTCH = 120;
/** Faster than anybody reads: all lines are others after three frames. */
const FLUNG = 600;
const TURN_MS = 10_000;
const PAGES_WATCHED = 8;
const TIMELINE = '[role=log]';

measure(`a conversation of ${MESSAGES.toLocaleString('en-GB')} messages`, async ({ arrive, note }) => {
  const { ada, bob, room, url } = await inRoom(arrive);
  await ada.talk.close();
  const texts = Array.from(
    { length: MESSAGES },
    (_, n) => `Message ${n + 1}${' and some more'.repeat(n % 9)}`,
  );
  const begun = performance.now();
  await sayAll(bob, url, { conversation: room, texts });
  note('said by the crowd', MESSAGES / ((performance.now() - begun) / 1000), 'a second');

  await ada.page.reload();
  const opened = performance.now();
  await ada.page.goto(`${url}#/room/${room}`);
  await ada.talk.lines.filter({ hasText: `Message ${MESSAGES}` }).waitFor();
  note('from the click to the newest message', performance.now() - opened, 'ms');

  for (const [how, notch] of [
    ['', NOTCH],
    [', flung', FLUNG],
  ] as const)
    await noteFrames(
      (name, value, unit) => note(`${name}${how}`, value, unit),
      ada.page,
      async () => {
        await turnWheel(ada.page, TIMELINE, -notch, TURN_MS);
        await turnWheel(ada.page, TIMELINE, notch, TURN_MS);
      },
    );
  note('lines in the page afterwards', await ada.talk.lines.count(), '');
  noteTimes(note, 'shift of what is under the pointer when older ones come', await shifts(ada.page), 'px');
  await noteMemory(note, ada.page);
});

/**
 * Goes up to where older messages are asked for, stands still, and looks how far the message in the middle moves until they
 * have come.
 */
async function shifts(page: Page): Promise<number[]> {
  const shifts: number[] = [];
  for (let n = 0; n < PAGES_WATCHED; n += 1) {
    // Until something is asked for: from here on nothing but what comes may move anything.
    const asked = page.waitForRequest(/\/messages\?/, { timeout: 30_000 }).catch(() => null);
    let waits = true;
    void asked.then(() => {
      waits = false;
    });
    await page.locator(TIMELINE).hover();
    while (waits) {
      await page.mouse.wheel(0, -FLUNG);
      await page.waitForTimeout(30);
    }
    if ((await asked) === null) break;
    shifts.push(await page.evaluate(watchMiddle, TIMELINE));
  }
  return shifts;
}

/** In the page: the largest distance, within a second, of the line in the middle from where it was. */
function watchMiddle(timeline: string): Promise<number> {
  const WATCH_MS = 1000;
  const box = document.querySelector(timeline)?.getBoundingClientRect();
  const line = document
    .elementsFromPoint((box?.left ?? 0) + (box?.width ?? 0) / 2, (box?.top ?? 0) + (box?.height ?? 0) / 2)
    .map((element) => element.closest('.line'))
    .find((found) => found !== null);
  if (line === undefined) return Promise.resolve(Number.NaN);
  const top = () => line?.getBoundingClientRect().top ?? Number.NaN;
  return new Promise((done) => {
    let [settled, furthest, frames] = [top(), 0, 0];
    const end = performance.now() + WATCH_MS;
    const look = () => {
      frames += 1;
      // What the wheel had already said is still carried out in the first two frames.
      if (frames <= 2) settled = top();
      furthest = Math.max(furthest, Math.abs(top() - settled));
      // A line that is no longer in the page has gone as far as it can.
      if (line?.isConnected !== true) done(Number.POSITIVE_INFINITY);
      else if (performance.now() < end) requestAnimationFrame(look);
      else done(furthest);
    };
    requestAnimationFrame(look);
  });
}
