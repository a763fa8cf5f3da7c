import { afterAll, beforeAll, describe, expect } from 'vitest';
import { eventually, PATIENCE_MS } from './stage/eventually.ts';
import { Natter } from './stage/natter.ts';
import type { Person } from './stage/person.ts';
import { types } from './stage/sessions.ts';
import { closeBrowser, story } from './stage/story.ts';

/** The shortest life that Natter allows a token. */
const TOKEN_SECONDS = 30;
const PATIENCE_FOR_TOKENS_MS = TOKEN_SECONDS * 1000 + PATIENCE_MS;

/** How many times a tab said `token`: replaced the one that its session stands on. */
function tokensSaid({ sessions }: Person): number {
  return sessions.flatMap(({ sent }) => types(sent)).filter((type) => type === 'token').length;
}

describe.concurrent('tokens that end soon', () => {
  let natter: Natter | null = null;
  const url = () => natter?.url ?? expect.fail('Natter was not started');
  beforeAll(async () => {
    natter = await Natter.start('short-tokens', ['--token-lifetime', `${TOKEN_SECONDS}s`]);
  });
  afterAll(async () => {
    await closeBrowser();
    await natter?.end();
  });

  story('hrt4_are_replaced_within_the_connection', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada', url()), arrive('bob', url())]);
    await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
    await eventually(() => tokensSaid(ada) >= 2, true, PATIENCE_FOR_TOKENS_MS);
    await ada.list.talkTo(bob);
    await ada.talk.write('still here');
    await bob.list.open('Ada');
    await bob.talk.seesTexts(['still here']);
    expect(ada.sessions).toHaveLength(1);
    expect(ada.sessions[0]?.closed).toBe(false);
  });

  story(
    'hrt4_that_could_not_be_replaced_end_the_connection_and_a_refresh_brings_it_back',
    async ({ arrive }) => {
      const [ada, bob] = await Promise.all([arrive('ada', url()), arrive('bob', url())]);
      await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
      await ada.list.talkTo(bob);
      await ada.context.route('**/auth/refresh', (route) => route.abort());
      await eventually(() => ada.sessions[0]?.closed, true, PATIENCE_FOR_TOKENS_MS);
      await ada.talk.write('meanwhile');
      await ada.talk.seesMark('Waiting to be sent');
      await ada.context.unroute('**/auth/refresh');
      await bob.list.open('Ada');
      await bob.talk.seesTexts(['meanwhile']);
      await ada.talk.seesMark('Read');
    },
  );
});
