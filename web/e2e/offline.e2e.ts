import { afterAll, describe, expect } from 'vitest';
import { eventually } from './stage/eventually.ts';
import { Natter } from './stage/natter.ts';
import type { Person } from './stage/person.ts';
import { types } from './stage/sessions.ts';
import { closeBrowser, type Stage, story } from './stage/story.ts';

afterAll(closeBrowser);

/** Ada and Bob in a conversation with one line in it. Ada's cable is hers alone. */
async function talking({ arrive, door }: Stage, url?: string) {
  const cable = await door(url);
  const [ada, bob] = await Promise.all([arrive('ada', cable.url), arrive('bob', url)]);
  await Promise.all([ada.register('Ada Lovelace'), bob.register('Bob')]);
  await ada.talkTo(bob);
  await ada.write('Hello');
  await bob.openFromList('Ada Lovelace');
  await bob.seesTexts(['Hello']);
  await ada.seesMark('Read');
  return { ada, bob, cable };
}

async function bothSee(ada: Person, bob: Person, texts: readonly string[]): Promise<void> {
  await ada.seesTexts(texts);
  await bob.seesTexts(texts);
}

async function bothSeeAfterReload(ada: Person, bob: Person, texts: readonly string[]): Promise<void> {
  await Promise.all([ada.page.reload(), bob.page.reload()]);
  await bothSee(ada, bob, texts);
}

describe('somebody is offline in between', () => {
  story('con3_what_each_wrote_meanwhile_arrives_once_and_in_order', async ({ arrive, door }) => {
    const { ada, bob, cable } = await talking({ arrive, door });
    await ada.goOffline(cable);
    await ada.write('a1');
    await ada.write('a2');
    await ada.seesLines(['Hello: Read', 'a1: Waiting to be sent', 'a2: Waiting to be sent']);
    await ada.seesBanner('You’re offline. 2 messages waiting, kept on this device.');
    await bob.write('b1');
    await bob.write('b2');
    await bob.seesMark('Sent');
    await ada.comeBack(cable);
    await ada.seesNoBanner();
    // What was in the log came before what was not: what Ada wrote offline stands behind what Bob wrote meanwhile.
    await bothSee(ada, bob, ['Hello', 'b1', 'b2', 'a1', 'a2']);
    await ada.seesMark('Read');
    // It was a resume, not a new beginning.
    const { sent, received } = ada.sessions.at(-1) ?? { sent: [], received: [] };
    expect(sent[0]).toMatchObject({ type: 'hello', resume: expect.any(String) });
    expect(types(received)).toContain('caught_up');
    expect(types(received)).not.toContain('reset');
    await bothSeeAfterReload(ada, bob, ['Hello', 'b1', 'b2', 'a1', 'a2']);
  });

  story(
    'cmd2_a_page_that_is_closed_offline_sends_what_was_waiting_when_it_is_opened_again',
    async ({ arrive, door }) => {
      const { ada, bob, cable } = await talking({ arrive, door });
      await ada.goOffline(cable);
      await ada.write('written in a tunnel');
      await ada.seesBanner('1 message waiting, kept on this device');
      await ada.hasKept(['written in a tunnel']);
      await ada.page.reload().then(
        () => expect.fail('the page loaded without a network'),
        (error: Error) => expect(error.message).toContain('ERR_INTERNET_DISCONNECTED'),
      );
      await ada.comeBack(cable);
      await ada.page.reload();
      await bothSee(ada, bob, ['Hello', 'written in a tunnel']);
      await ada.seesMark('Read');
      await bothSeeAfterReload(ada, bob, ['Hello', 'written in a tunnel']);
    },
  );

  story('cmd2_a_send_whose_answer_was_lost_is_there_once', async ({ arrive, door }) => {
    const { ada, bob, cable } = await talking({ arrive, door });
    cable.loseAnswers();
    await ada.write('did this arrive?');
    await bob.seesTexts(['Hello', 'did this arrive?']);
    await ada.seesMark('Sending');
    cable.cut();
    await ada.seesMark('Waiting to be sent');
    await ada.write('and this?');
    await ada.comeBack(cable);
    await bothSee(ada, bob, ['Hello', 'did this arrive?', 'and this?']);
    await ada.seesMark('Read');
    await bothSeeAfterReload(ada, bob, ['Hello', 'did this arrive?', 'and this?']);
  });

  story(
    'cmd2_a_page_that_is_closed_before_the_answer_sends_again_what_is_there_once',
    async ({ arrive, door }) => {
      const { ada, bob, cable } = await talking({ arrive, door });
      cable.loseAnswers();
      await ada.write('did this arrive?');
      await bob.seesTexts(['Hello', 'did this arrive?']);
      cable.cut();
      await ada.page.goto('about:blank');
      cable.mend();
      await ada.page.goBack();
      await bothSee(ada, bob, ['Hello', 'did this arrive?']);
      await ada.seesMark('Read');
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
          await ada.write(text);
          if (n % 3 !== 2) continue;
          const sessions = ada.sessions.length;
          cable.cut();
          cable.mend();
          await eventually(() => ada.sessions.length > sessions, true);
        }
      })();
      const bobWrites = (async () => {
        for (const text of fromBob) await bob.write(text);
      })();
      await Promise.all([adaWrites, bobWrites]);
      await eventually(async () => (await bob.texts()).length, 19);
      const texts = await bob.texts();
      expect(texts.filter((text) => text.startsWith('a'))).toEqual(fromAda);
      expect(texts.filter((text) => text.startsWith('b'))).toEqual(fromBob);
      await ada.seesTexts(texts);
      await bothSeeAfterReload(ada, bob, texts);
    },
  );

  story('a_first_message_that_was_written_offline_arrives', async ({ arrive, door }) => {
    const cable = await door();
    const [ada, bob] = await Promise.all([arrive('ada', cable.url), arrive('bob')]);
    await Promise.all([ada.register('Ada Lovelace'), bob.register('Bob')]);
    await ada.goOffline(cable);
    await ada.goToConversationWith(bob.handle);
    await ada.write('We have not met');
    await ada.seesLines(['We have not met: Waiting to be sent']);
    await ada.row(bob.handle).getByText('Waiting: We have not met').waitFor();
    await ada.comeBack(cable);
    await bob.openFromList('Ada Lovelace');
    await bob.seesTexts(['We have not met']);
    await ada.seesMark('Read');
    await ada.head.getByRole('heading', { name: 'Bob', exact: true }).waitFor();
  });

  story('hrt6_what_could_not_be_reported_offline_is_reported_afterwards', async ({ arrive, door }) => {
    const { ada, bob, cable } = await talking({ arrive, door });
    await ada.goOffline(cable);
    await bob.write('tell me when you read this');
    await bob.seesMark('Sent');
    await ada.comeBack(cable);
    await ada.seesTexts(['Hello', 'tell me when you read this']);
    await bob.seesMark('Read');
  });
});

describe('a message that Natter refuses', () => {
  story('is_not_sent_says_why_and_can_be_tried_again_or_thrown_away', async ({ arrive }) => {
    const ada = await arrive('ada');
    ada.expectsFault(/^answer: 404 to GET \/history\/(direct$|users\/later-)/);
    await ada.register();
    const later = await arrive('later');
    await ada.goToConversationWith(later.handle);
    await ada.write('Anybody there?');
    await ada.write('Hello?');
    await ada.seesLines(['Anybody there?: Not sent', 'Hello?: Not sent']);
    await ada.row(later.handle).getByText('Not sent: ').waitFor();
    const [first, second] = await ada.lines.all();
    await first?.getByRole('alert').getByText('Not sent: ').waitFor();
    await second?.getByRole('button', { name: 'Discard' }).click();
    await ada.seesTexts(['Anybody there?']);
    // Also after a reload it is neither lost nor sent without being asked for.
    await ada.page.reload();
    await ada.seesLines(['Anybody there?: Not sent']);
    await later.register('Late Comer');
    await ada.lines.first().getByRole('button', { name: 'Retry' }).click();
    await ada.seesMark('Delivered');
    await later.openFromList(ada.handle);
    await later.seesTexts(['Anybody there?']);
    await ada.seesMark('Read');
    await later.write('Yes');
    await later.seesMark('Read');
  });
});

describe('Natter itself is gone in between', () => {
  story('cmd1_killed_and_started_again_under_both', async ({ arrive, door }) => {
    const natter = await Natter.start('killed');
    try {
      const { ada, bob } = await talking({ arrive, door }, natter.url);
      await bob.write('Hello Ada');
      await ada.seesTexts(['Hello', 'Hello Ada']);
      await natter.kill();
      await ada.seesBanner(/./);
      await bob.seesBanner(/./);
      await ada.write('from Ada');
      await bob.write('from Bob');
      await ada.seesMark('Waiting to be sent');
      await bob.seesMark('Waiting to be sent');
      await natter.startAgain();
      await Promise.all([ada.seesNoBanner(), bob.seesNoBanner()]);
      await eventually(async () => (await ada.texts()).length, 4);
      const texts = await ada.texts();
      expect(texts.slice(0, 2)).toEqual(['Hello', 'Hello Ada']);
      expect(texts.slice(2).toSorted()).toEqual(['from Ada', 'from Bob']);
      await bothSee(ada, bob, texts);
      await bothSeeAfterReload(ada, bob, texts);
    } finally {
      await natter.end();
    }
  });
});
