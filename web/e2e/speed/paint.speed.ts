import type { BrowserContext } from 'playwright-core';
import { afterAll } from 'vitest';
import { closeBrowser } from '../stage/story.ts';
import { measure, noteTimes } from './measure.ts';

afterAll(closeBrowser);

const RUNS = 10;

measure('first paint, nothing in the cache: log in', async ({ arrive, note }) => {
  const [painted, usable]: [number[], number[]] = [[], []];
  const times = { painted, usable };
  for (let run = 0; run < RUNS; run += 1) {
    // Each has a browser context of its own, and with it a cache of its own.
    const ada = await arrive('ada', undefined, { watchFor: 'form input' });
    await ada.account.seesTheLogin();
    await take(ada.context, times);
    await ada.context.close();
  }
  noteTimes(note, 'painted', painted);
  noteTimes(note, 'usable', usable);
});

measure('first paint, nothing in the cache: a conversation', async ({ arrive, note }) => {
  const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
  await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
  await bob.list.talkTo(ada);
  for (const text of ['one', 'two', 'three']) await bob.talk.write(text);
  const [painted, usable]: [number[], number[]] = [[], []];
  let session = await ada.context.storageState();
  await ada.context.close();
  for (let run = 0; run < RUNS; run += 1) {
    const again = await arrive('ada', undefined, {
      storageState: session,
      watchFor: '[role=log] .text',
      hash: `#/@${bob.handle}`,
    });
    await again.talk.seesTexts(['one', 'two', 'three']);
    await take(again.context, { painted, usable });
    session = await again.context.storageState();
    await again.context.close();
  }
  noteTimes(note, 'painted', painted);
  noteTimes(note, 'usable: its messages and the composer are there', usable);
});

async function take(context: BrowserContext, times: { painted: number[]; usable: number[] }): Promise<void> {
  const [page] = context.pages();
  const seen = await page?.evaluate(() => ({
    painted: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
    usable: (window as unknown as { usableAt?: number }).usableAt ?? Number.NaN,
  }));
  times.painted.push(seen?.painted ?? Number.NaN);
  times.usable.push(seen?.usable ?? Number.NaN);
}
