import { afterAll } from 'vitest';
import { closeBrowser } from '../stage/story.ts';
import { sayAll } from './crowd.ts';
import { noteFrames, noteMemory } from './frames.ts';
import { measure, noteTimes } from './measure.ts';
import { inRoom } from './room.ts';
import { watchText } from './watch.ts';

afterAll(closeBrowser);

const RATE = Number(process.env.SPEED_RATE ?? 500);
const SECONDS = 10;
const KEY_EVERY_MS = 200;
/** Who sees nothing for so long after the burst has gone: the page is frozen, and that is the figure. */
const FROZEN_AFTER_MS = 60_000;

measure(`${RATE} messages a second for ${SECONDS} s`, async ({ arrive, note }) => {
  const { ada, bob, room, url } = await inRoom(arrive);
  const texts = Array.from({ length: RATE * SECONDS }, (_, n) => `Message ${n + 1} of the burst`);
  const last = `Message ${texts.length} of the burst`;
  await ada.talk.composer.focus();
  await ada.page.evaluate(watchKeys);
  const shown = await watchText(ada.page, '[role=log] .line:nth-last-child(-n + 3) .text', last);
  let late = Number.NaN;
  await noteFrames(note, ada.page, async () => {
    let speaks = true;
    const hear = async () => {
      try {
        const left = await sayAll(bob, url, { conversation: room, texts, rate: RATE });
        late = (await unlessFrozen(shown())) - left;
      } finally {
        speaks = false;
      }
    };
    const type = async () => {
      while (speaks) {
        await ada.page.keyboard.press('x');
        await ada.page.waitForTimeout(KEY_EVERY_MS);
      }
    };
    await unlessFrozen(Promise.all([hear(), type()]), (SECONDS + 30) * 1000 + FROZEN_AFTER_MS);
  });
  note('from the last one’s sending to the screen', late, 'ms');
  const keys = await ada.page.evaluate(() => (window as unknown as { keys: number[] }).keys);
  noteTimes(note, 'from a key to the letter', keys);
  await noteMemory(note, ada.page);
});

/** A page that is frozen does not even say so. */
function unlessFrozen<T>(answer: Promise<T>, limit = FROZEN_AFTER_MS): Promise<T> {
  return new Promise((resolve, reject) => {
    const impatient = setTimeout(() => reject(new Error(`the page was frozen for ${limit / 1000} s`)), limit);
    answer.then(resolve, reject).finally(() => clearTimeout(impatient));
  });
}

/** In the page: how long after each key the frame is drawn that shows its letter. */
function watchKeys(): void {
  const keys: number[] = [];
  Object.assign(window, { keys });
  document.addEventListener('keydown', ({ timeStamp }) => {
    // The task behind the next frame: by then it is drawn.
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => keys.push(performance.now() - timeStamp);
      port2.postMessage(null);
    });
  });
}
