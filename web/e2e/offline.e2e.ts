import { afterAll, describe, expect } from 'vitest';
import { eventually } from './stage/eventually.ts';
import { listen } from './stage/heard.ts';
import { Natter } from './stage/natter.ts';
import type { Person } from './stage/person.ts';
import { types } from './stage/sessions.ts';
import { closeBrowser, type Stage, story } from './stage/story.ts';

afterAll(closeBrowser);

/** Ada and Bob in a conversation with one line in it. Ada's cable is hers alone. */
async function talking({ arrive, door }: Stage, url?: string) {
  const cable = await door(url);
  const [ada, bob] = await Promise.all([arrive('ada', cable.url), arrive('bob', url)]);
  await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
  await ada.list.talkTo(bob);
  await ada.talk.write('Hello');
  await bob.list.open('Ada Lovelace');
  await bob.talk.seesTexts(['Hello']);
  await ada.talk.seesMark('Read');
  return { ada, bob, cable };
}

async function bothSee(ada: Person, bob: Person, texts: readonly string[]): Promise<void> {
  await ada.talk.seesTexts(texts);
  await bob.talk.seesTexts(texts);
}

async function bothSeeAfterReload(ada: Person, bob: Person, texts: readonly string[]): Promise<void> {
  await Promise.all([ada.reloadFromTheServer(), bob.reloadFromTheServer()]);
  await bothSee(ada, bob, texts);
}

describe('a page that is opened again', () => {
  story('con3_shows_at_once_what_it_knew_and_asks_only_for_what_came_since', async ({ arrive, door }) => {
    const { ada, bob } = await talking({ arrive, door });
    const { page } = ada;
    const address = page.url();
    await page.goto('about:blank');
    await bob.talk.write('Are you there?');
    await bob.talk.write('It can wait');
    await bob.talk.seesMark('Sent');
    // Whatever is seen now comes from this device and from the log, not from pages of history.
    await page.route('**/history/{conversations,direct}*', (route) => route.abort());
    await page.goto(address);
    await ada.talk.seesTexts(['Hello', 'Are you there?', 'It can wait']);
    await bob.talk.seesMark('Read');
    const { sent, received } = ada.sessions.at(-1) ?? { sent: [], received: [] };
    expect(sent[0]).toMatchObject({ type: 'hello', resume: expect.any(String) });
    expect(types(received)).not.toContain('reset');
    await page.unroute('**/history/{conversations,direct}*');
    await bothSeeAfterReload(ada, bob, ['Hello', 'Are you there?', 'It can wait']);
  });

  story('con3_of_two_tabs_goes_on_with_what_either_knew', async ({ arrive, door }) => {
    const { ada, bob } = await talking({ arrive, door });
    const second = await ada.anotherTab();
    await second.list.open('Bob');
    await second.talk.seesTexts(['Hello']);
    const address = ada.page.url();
    await ada.page.goto('about:blank');
    await bob.talk.write('One');
    await second.talk.seesTexts(['Hello', 'One']);
    await ada.page.goto(address);
    await ada.talk.seesTexts(['Hello', 'One']);
    // The one that stayed knows more than the one that came.
    await second.page.reload();
    await second.talk.seesTexts(['Hello', 'One']);
    await bob.talk.write('Two');
    for (const tab of [ada, second]) await tab.talk.seesTexts(['Hello', 'One', 'Two']);
  });
});

describe('somebody is offline in between', () => {
  story('con3_what_each_wrote_meanwhile_arrives_once_and_in_order', async ({ arrive, door }) => {
    const { ada, bob, cable } = await talking({ arrive, door });
    const heard = await listen(ada.page);
    await ada.goOffline(cable);
    await eventually(async () => (await heard()).includes('You’re offline.'), true);
    await ada.talk.write('a1');
    await ada.talk.write('a2');
    await ada.talk.seesLines(['Hello: Read', 'a1: Waiting to be sent', 'a2: Waiting to be sent']);
    await ada.seesBanner('You’re offline. 2 messages waiting, kept on this device.');
    await bob.talk.write('b1');
    await bob.talk.write('b2');
    await bob.talk.seesMark('Sent');
    await ada.comeBack(cable);
    await ada.seesNoBanner();
    // What was in the log came before what was not: what Ada wrote offline stands behind what Bob wrote meanwhile.
    await bothSee(ada, bob, ['Hello', 'b1', 'b2', 'a1', 'a2']);
    await ada.talk.seesMark('Read');
    // The same words again are said aloud again.
    for (const text of ['ok', 'ok']) {
      await bob.talk.write(text);
      await bob.talk.seesMark('Read');
    }
    await eventually(
      async () => (await heard()).filter((text) => text.endsWith(': ok')),
      ['Bob: ok', 'Bob: ok'],
    );
    // It was a resume, not a new beginning.
    const { sent, received } = ada.sessions.at(-1) ?? { sent: [], received: [] };
    expect(sent[0]).toMatchObject({ type: 'hello', resume: expect.any(String) });
    expect(types(received)).toContain('caught_up');
    expect(types(received)).not.toContain('reset');
    await bothSeeAfterReload(ada, bob, ['Hello', 'b1', 'b2', 'a1', 'a2', 'ok', 'ok']);
  });

  story(
    'cmd2_a_page_that_is_closed_offline_sends_what_was_waiting_when_it_is_opened_again',
    async ({ arrive, door }) => {
      const { ada, bob, cable } = await talking({ arrive, door });
      await ada.goOffline(cable);
      await ada.talk.write('written in a tunnel');
      await ada.seesBanner('1 message waiting, kept on this device');
      await ada.talk.hasKept(['written in a tunnel']);
      await ada.page.reload().then(
        () => expect.fail('the page loaded without a network'),
        (error: Error) => expect(error.message).toContain('ERR_INTERNET_DISCONNECTED'),
      );
      await ada.comeBack(cable);
      await ada.page.reload();
      await bothSee(ada, bob, ['Hello', 'written in a tunnel']);
      await ada.talk.seesMark('Read');
      await bothSeeAfterReload(ada, bob, ['Hello', 'written in a tunnel']);
    },
  );

  story('cmd2_a_send_whose_answer_was_lost_is_there_once', async ({ arrive, door }) => {
    const { ada, bob, cable } = await talking({ arrive, door });
    cable.loseAnswers();
    await ada.talk.write('did this arrive?');
    await bob.talk.seesTexts(['Hello', 'did this arrive?']);
    await ada.talk.seesMark('Sending');
    cable.cut();
    await ada.talk.seesMark('Waiting to be sent');
    await ada.talk.write('and this?');
    await ada.comeBack(cable);
    await bothSee(ada, bob, ['Hello', 'did this arrive?', 'and this?']);
    await ada.talk.seesMark('Read');
    await bothSeeAfterReload(ada, bob, ['Hello', 'did this arrive?', 'and this?']);
  });

  story(
    'cmd2_a_page_that_is_closed_before_the_answer_sends_again_what_is_there_once',
    async ({ arrive, door }) => {
      const { ada, bob, cable } = await talking({ arrive, door });
      cable.loseAnswers();
      await ada.talk.write('did this arrive?');
      await bob.talk.seesTexts(['Hello', 'did this arrive?']);
      cable.cut();
      await ada.page.goto('about:blank');
      cable.mend();
      await ada.page.goBack();
      await bothSee(ada, bob, ['Hello', 'did this arrive?']);
      await ada.talk.seesMark('Read');
    },
  );

  story(
    'evt1_a_cable_that_breaks_again_and_again_loses_nothing_and_doubles_nothing',
    async ({ arrive, door }) => {
      const { ada, bob, cable } = await talking({ arrive, door });
      const fromAda = Array.from({ length: 9 }, (_, n) => `a${n + 1}`);
      const fromBob = Array.from({ length: 9 }, (_, n) => `b${n + 1}`);
      const adaWrites = (async () => {
        for (const [n, text] of fromAda.entries()) {
          await ada.talk.write(text);
          if (n % 3 !== 2) continue;
          const sessions = ada.sessions.length;
          cable.cut();
          cable.mend();
          await eventually(() => ada.sessions.length > sessions, true);
        }
      })();
      const bobWrites = (async () => {
        for (const text of fromBob) await bob.talk.write(text);
      })();
      await Promise.all([adaWrites, bobWrites]);
      await eventually(async () => (await bob.talk.texts()).length, 19);
      const texts = await bob.talk.texts();
      expect(texts.filter((text) => text.startsWith('a'))).toEqual(fromAda);
      expect(texts.filter((text) => text.startsWith('b'))).toEqual(fromBob);
      await ada.talk.seesTexts(texts);
      await bothSeeAfterReload(ada, bob, texts);
    },
  );

  story('a_first_message_that_was_written_offline_arrives', async ({ arrive, door }) => {
    const cable = await door();
    const [ada, bob] = await Promise.all([arrive('ada', cable.url), arrive('bob')]);
    await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
    await ada.goOffline(cable);
    await ada.talk.goTo(bob.handle);
    await ada.talk.write('We have not met');
    await ada.talk.seesLines(['We have not met: Waiting to be sent']);
    await ada.list.row(bob.handle).getByText('Waiting: We have not met').waitFor();
    await ada.comeBack(cable);
    await bob.list.open('Ada Lovelace');
    await bob.talk.seesTexts(['We have not met']);
    await ada.talk.seesMark('Read');
    await ada.talk.head.getByRole('heading', { name: 'Bob', exact: true }).waitFor();
  });

  story('hrt6_what_could_not_be_reported_offline_is_reported_afterwards', async ({ arrive, door }) => {
    const { ada, bob, cable } = await talking({ arrive, door });
    await ada.goOffline(cable);
    await bob.talk.write('tell me when you read this');
    await bob.talk.seesMark('Sent');
    await ada.comeBack(cable);
    await ada.talk.seesTexts(['Hello', 'tell me when you read this']);
    await bob.talk.seesMark('Read');
  });
});

describe('a message that Natter refuses', () => {
  story('is_not_sent_says_why_and_can_be_tried_again_or_thrown_away', async ({ arrive }) => {
    const ada = await arrive('ada');
    ada.expectsFault(/^answer: 404 to GET \/history\/(direct$|users\/later-)/);
    await ada.account.register();
    const later = await arrive('later');
    await ada.talk.goTo(later.handle);
    await ada.talk.write('Anybody there?');
    await ada.talk.write('Hello?');
    await ada.talk.seesLines(['Anybody there?: Not sent', 'Hello?: Not sent']);
    await ada.list.row(later.handle).getByText('Not sent: ').waitFor();
    const [first, second] = await ada.talk.lines.all();
    await first?.getByRole('alert').getByText('Not sent: ').waitFor();
    await second?.getByRole('button', { name: 'Discard' }).click();
    await ada.talk.seesTexts(['Anybody there?']);
    await ada.talk.hasKept(['Anybody there?']);
    // Also after a reload it is neither lost nor sent without being asked for.
    await ada.page.reload();
    await ada.talk.seesLines(['Anybody there?: Not sent']);
    await later.account.register('Late Comer');
    await ada.talk.lines.first().getByRole('button', { name: 'Retry' }).click();
    await ada.talk.seesMark('Delivered');
    await later.list.open(ada.handle);
    await later.talk.seesTexts(['Anybody there?']);
    await ada.talk.seesMark('Read');
    await later.talk.write('Yes');
    await later.talk.seesMark('Read');
  });
});

describe('Natter itself is gone in between', () => {
  story('cmd1_killed_and_started_again_under_both', async ({ arrive, door }) => {
    const natter = await Natter.start('killed');
    try {
      const { ada, bob } = await talking({ arrive, door }, natter.url);
      await bob.talk.write('Hello Ada');
      await ada.talk.seesTexts(['Hello', 'Hello Ada']);
      await natter.kill();
      await ada.seesBanner(/./);
      await bob.seesBanner(/./);
      await ada.talk.write('from Ada');
      await bob.talk.write('from Bob');
      await ada.talk.seesMark('Waiting to be sent');
      await bob.talk.seesMark('Waiting to be sent');
      await natter.startAgain();
      await Promise.all([ada.seesNoBanner(), bob.seesNoBanner()]);
      await eventually(async () => (await ada.talk.texts()).length, 4);
      const texts = await ada.talk.texts();
      expect(texts.slice(0, 2)).toEqual(['Hello', 'Hello Ada']);
      expect(texts.slice(2).toSorted()).toEqual(['from Ada', 'from Bob']);
      await bothSee(ada, bob, texts);
      await bothSeeAfterReload(ada, bob, texts);
    } finally {
      await natter.end();
    }
  });
});
