/** A gateway that goes, or comes back: what is live goes on after it, and what is open is made true, without a reload. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, describe, expect } from 'vitest';
import { eventually } from './stage/eventually.ts';
import { FIRST, Gateways, gatewaysOf, SECOND } from './stage/gateways.ts';
import { Natter } from './stage/natter.ts';
import { callsThemselves, choosesStatus, opensSettings } from './stage/person/settings.ts';
import type { Person } from './stage/person.ts';
import { closeBrowser, story } from './stage/story.ts';

let running: { end(): Promise<void> } | null = null;
afterEach(async () => {
  await running?.end();
  running = null;
});
afterAll(closeBrowser);

const roomName = () => `Looms ${randomBytes(3).toString('hex')}`;

/** Ada and Bob have the same conversation of two open; Cy is about to join the room. */
async function allIsLive(ada: Person, bob: Person, cy: Person, room: string): Promise<void> {
  for (const [one, name, other] of [
    [ada, /^Ada/, bob],
    [bob, /^Bob/, ada],
  ] as const) {
    const text = `It is me, ${one.handle}`;
    await one.talk.composer.pressSequentially(text);
    await other.talk.typing.getByText(name).getByText('is typing…').waitFor();
    await one.talk.composer.press('Enter');
    await other.message.acts(text, 'React with heart');
    await one.message.reaction(text, '❤️').waitFor();
    await one.talk.seesMark('Read');
    await other.talk.head.locator('.presence').waitFor();
  }
  await ada.list.open(room);
  await cy.room.joins(room);
  await ada.room.notices.getByText('Cy joined.').waitFor();
  await bob.page.goto('about:blank');
  await ada.list.open('Bob');
  await ada.talk.head.getByText('Last seen just now').waitFor();
}

describe('one of two gateways', () => {
  story(
    'con4_goes_while_somebody_is_away_and_all_that_they_have_open_is_made_true',
    async ({ arrive, door }) => {
      const gateways = await Gateways.start('panes', ['--max-messages', '100']);
      running = gateways;
      const cable = await door(gateways.second);
      const [ada, bob, cy] = await Promise.all([
        arrive('ada', gateways.first),
        arrive('bob', cable.url),
        arrive('cy', gateways.first),
      ]);
      const names = ['Ada', 'Bob', 'Cy'];
      await Promise.all([ada, bob, cy].map((person, n) => person.account.register(names[n])));
      const name = roomName();
      await ada.room.makes(name);
      await bob.room.joins(name);
      for (const text of ['Who has the cards?', 'The cards are gone', 'No cards here'])
        await ada.talk.write(text);
      await ada.message.acts('Who has the cards?', 'Pin');
      await ada.message.acts('Who has the cards?', 'Reply in thread');
      await ada.beside.thread.write('Not me');

      // Each with something else open.
      const opening: ((tab: Person) => Promise<void>)[] = [
        (tab) => tab.beside.opensPeople(),
        (tab) => tab.message.replies('Who has the cards?', '1 reply').press('Enter'),
        (tab) => tab.beside.pins.press('Enter'),
        async (tab) => {
          await tab.beside.opens('Search');
          await tab.beside.looksFor('cards');
        },
        (tab) => tab.beside.opens('Threads'),
      ];
      const tabs = await Promise.all(
        opening.map(async (opens) => {
          const tab = await bob.anotherTab();
          await tab.list.open(name);
          await opens(tab);
          return tab;
        }),
      );
      const [members, thread, pins, search, threads] = tabs;
      if (!members || !thread || !pins || !search || !threads) return;
      await eventually(() => members.beside.people('Members'), [bob.handle]);
      await thread.beside.thread.seesTexts(['Not me']);
      await eventually(() => pins.beside.texts('Pinned messages'), ['Who has the cards?']);
      await eventually(async () => (await search.beside.texts('Found messages')).length, 3);
      await eventually(() => threads.beside.texts('Threads'), ['Who has the cards?']);
      await bob.list.talkTo(ada);
      await bob.talk.write('Hello');

      cable.cut();
      await gateways.killSecond();
      await ada.beside.thread.write('Look in the loom');
      await ada.beside.closes();
      await ada.message.acts('The cards are gone', 'Reply in thread');
      await ada.beside.thread.write('Are they?');
      await ada.beside.closes();
      await ada.message.acts('The cards are gone', 'Pin');
      await ada.message.acts('Who has the cards?', 'Unpin');
      await ada.message.acts('No cards here', 'Delete');
      await ada.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await cy.room.joins(name);
      await ada.list.open(name);
      await ada.room.notices.getByText('Cy joined.').waitFor();
      await callsThemselves(ada, 'Ada King');

      cable.mend();
      for (const tab of tabs) await tab.seesNoBanner();
      await eventually(() => members.beside.people('Members'), [bob.handle, cy.handle]);
      await thread.beside.thread.seesTexts(['Not me', 'Look in the loom']);
      await eventually(() => pins.beside.texts('Pinned messages'), ['The cards are gone']);
      await eventually(
        () => search.beside.texts('Found messages'),
        ['The cards are gone', 'Who has the cards?'],
      );
      await eventually(() => threads.beside.texts('Threads'), ['The cards are gone', 'Who has the cards?']);
      for (const tab of tabs)
        await tab.talk.seesTexts(['Who has the cards?', 'The cards are gone', 'Message deleted']);
      // A name is told to those who are there; whoever was not asks.
      await bob.talk.head.getByRole('heading', { name: 'Ada King' }).waitFor();
      expect(gatewaysOf(bob)).toEqual([SECOND, FIRST]);
    },
  );
});

describe('a Natter', () => {
  story('con4_that_is_killed_and_started_again_goes_on_for_everybody', async ({ arrive }) => {
    const natter = await Natter.start('again');
    running = natter;
    const [ada, bob, cy] = await Promise.all([
      arrive('ada', natter.url),
      arrive('bob', natter.url),
      arrive('cy', natter.url),
    ]);
    const names = ['Ada', 'Bob', 'Cy'];
    await Promise.all([ada, bob, cy].map((person, n) => person.account.register(names[n])));
    const room = roomName();
    await ada.room.makes(room);
    // Two tabs, and the one that chose last is heard by the other.
    const second = await ada.anotherTab();
    await choosesStatus(ada, 'Busy');
    await opensSettings(second, 'Profile');
    await second.page.getByRole('radio', { name: 'Busy', checked: true }).waitFor();
    await choosesStatus(second, 'Away');
    await ada.page.getByRole('radio', { name: 'Away', checked: true }).waitFor();
    await ada.list.talkTo(bob);
    await ada.talk.write('Hello');
    await bob.list.open('Ada');
    await bob.talk.head.getByText('Away').waitFor();

    await natter.kill();
    for (const person of [ada, bob, cy, second]) await person.seesBanner(/./);
    await natter.startAgain();
    for (const person of [ada, bob, cy, second]) await person.seesNoBanner();
    await bob.talk.head.getByText('Away').waitFor();
    await allIsLive(ada, bob, cy, room);
  });
});
