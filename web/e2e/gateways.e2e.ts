import { afterAll, afterEach, describe, expect } from 'vitest';
import { eventually } from './stage/eventually.ts';
import { FIRST, Gateways, gatewaysOf, SECOND } from './stage/gateways.ts';
import type { Person } from './stage/person.ts';
import { closeBrowser, story } from './stage/story.ts';

let gateways: Gateways | null = null;
afterEach(async () => {
  await gateways?.end();
  gateways = null;
});
afterAll(closeBrowser);

describe('two gateways', () => {
  story('con4_one_that_is_killed_loses_nothing_and_doubles_nothing', async ({ arrive, door }) => {
    gateways = await Gateways.start('two-gateways', ['--max-messages', '100']);
    const cable = await door(gateways.second);
    const [ada, bob] = await Promise.all([arrive('ada', gateways.first), arrive('bob', cable.url)]);
    await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
    await eventually(() => [gatewaysOf(ada), gatewaysOf(bob)], [[FIRST], [SECOND]]);
    await ada.list.talkTo(bob);
    await ada.talk.write('Hello');
    await bob.list.open('Ada Lovelace');
    await bob.talk.write('Hello yourself');
    await Promise.all([ada, bob].map(({ talk }) => talk.seesTexts(['Hello', 'Hello yourself'])));

    const fromAda = Array.from({ length: 6 }, (_, n) => `a${n + 1}`);
    const fromBob = Array.from({ length: 6 }, (_, n) => `b${n + 1}`);
    const says = async ({ talk }: Person, texts: readonly string[]) => {
      for (const text of texts) await talk.write(text);
    };
    // Its machine goes in the middle of what both are saying; whoever was there is let in by the other one.
    await Promise.all([says(ada, fromAda.slice(0, 3)), says(bob, fromBob.slice(0, 3))]);
    await Promise.all([gateways.killSecond(), says(ada, fromAda.slice(3)), says(bob, fromBob.slice(3))]);
    await eventually(() => gatewaysOf(bob), [SECOND, FIRST]);
    await bob.talk.seesMark('Read', 'b6');

    // Back at the first one that there was: what was said since is resumed from where it was left.
    await gateways.startSecondAgain();
    cable.cut();
    await says(ada, ['while Bob was gone']);
    cable.mend();
    await eventually(() => gatewaysOf(bob), [SECOND, FIRST, SECOND]);
    await says(bob, ['I am back']);

    await eventually(async () => (await ada.talk.texts()).length, 16);
    const texts = await ada.talk.texts();
    expect(texts.filter((text) => /^a\d/.test(text))).toEqual(fromAda);
    expect(texts.filter((text) => /^b\d/.test(text))).toEqual(fromBob);
    expect(texts.slice(-2)).toEqual(['while Bob was gone', 'I am back']);
    await bob.talk.seesTexts(texts);
    await Promise.all([ada.page.reload(), bob.page.reload()]);
    await Promise.all([ada, bob].map(({ talk }) => talk.seesTexts(texts)));
  });
});
