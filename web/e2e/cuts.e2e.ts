/** Everything that somebody can do, while the network is cut and while what Natter answers is lost. */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type Cast, cast, hearing, setUp } from './stage/cast.ts';
import { asksForPeople, type Deed, deedsOf } from './stage/deeds.ts';
import { eventually } from './stage/eventually.ts';
import type { Person } from './stage/person.ts';
import { closeBrowser, type Stage, story } from './stage/story.ts';

let people: Cast;
beforeAll(async () => {
  people = await cast();
});
afterAll(async () => {
  for (const { client } of Object.values(people)) client.close();
  await closeBrowser();
});

/** Ada, whose cable is hers alone and whose page is installed, with Bob in a room; and what her other device hears. */
async function together({ arrive, door }: Pick<Stage, 'arrive' | 'door'>) {
  const cable = await door();
  const [ada, bob] = await Promise.all([
    arrive('ada', cable.url, { serviceWorkers: 'allow', viewport: TALL }),
    arrive('bob'),
  ]);
  await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
  const { rooms, device, close } = await setUp(ada, bob, people);
  await ada.list.row(rooms.cellar).waitFor();
  await Promise.all([ada.list.open(rooms.lobby), bob.list.open(rooms.lobby)]);
  await Promise.all([ada, bob].map(({ talk }) => talk.seesTexts(BEFORE)));
  await eventually(
    () => ada.page.evaluate(() => navigator.serviceWorker.controller?.state ?? null),
    'activated',
  );
  await asksForPeople(ada);
  await eventually(() => ada.beside.people('Banned people'), [people.hal.handle]);
  return { ada, bob, cable, rooms, close, heard: hearing(device), deeds: deedsOf(ada, people, rooms) };
}

/** All of it is in sight: a menu closes when what it belongs to is scrolled. */
const TALL = { width: 1280, height: 1200 };
const BEFORE = ['edit me', 'delete me', 'answer me', 'talk about me', 'react to me'];
const AFTER = ['changed', 'Message deleted', ...BEFORE.slice(2), 'said', 'answered'];

/** Once each, in whatever order: what is read is reported beside all else. */
async function allHeardOnce(heard: readonly string[], deeds: readonly Deed[]): Promise<void> {
  const told = deeds.flatMap((deed) => deed.told).toSorted();
  await eventually(() => heard.toSorted(), told, 60_000);
}

async function sees({ talk, message }: Person): Promise<void> {
  await talk.seesTexts(AFTER);
  await message.line('talk about me').getByText('Pinned', { exact: true }).waitFor();
  expect(await message.line('answer me').getByText('Pinned', { exact: true }).count()).toBe(0);
}

async function bothSee(ada: Person, bob: Person, lobby: string): Promise<void> {
  await ada.list.open(lobby);
  for (const person of [ada, bob]) {
    await sees(person);
    await person.message.replies('talk about me', '1 reply').waitFor();
  }
  await bob.message.seesReactions('react to me', ['❤️ 1: Ada King']);
}

describe('whatever somebody does', () => {
  story('cmd2_without_a_network_waits_over_a_reload_and_is_there_once', async ({ arrive, door }) => {
    const { ada, bob, cable, rooms, heard, deeds, close } = await together({ arrive, door });
    await ada.goOffline(cable);
    for (const deed of deeds) await deed.do();
    expect(heard).toEqual([]);
    // All of it is seen at once, or said to wait.
    await ada.seesBanner('3 messages and 20 changes waiting, kept on this device');
    await ada.page.keyboard.press('Escape');
    await ada.list.open(rooms.lobby);
    await sees(ada);
    await ada.talk.head.getByText(`${rooms.lobby} II`).waitFor();
    await ada.list.row(`${rooms.lobby} II`).waitFor();
    await ada.message.seesReactions('react to me', ['❤️ 1: you']);
    await ada.talk.composer.fill('not yet said');
    await ada.page.reload();
    await ada.comeBack(cable);
    await ada.account.seesTheChat();
    await allHeardOnce(heard, deeds);
    await bothSee(ada, bob, rooms.lobby);
    expect(await ada.talk.composer.inputValue()).toBe('not yet said');
    close();
  });

  story('cmd2_is_there_once_where_the_answer_to_it_was_lost', async ({ arrive, door }) => {
    const { ada, bob, cable, rooms, heard, deeds, close } = await together({ arrive, door });
    for (const { do: act, told } of deeds) {
      const soFar = heard.length;
      cable.loseAnswers();
      await act();
      // The log has it; or the page noticed before that nobody answers, and keeps it.
      await eventually(async () => heard.length > soFar || (await ada.banner.count()) > 0, true);
      await ada.goOffline(cable);
      await ada.comeBack(cable);
      await ada.seesNoBanner();
      await ada.talk.hasKeptDeeds([]);
      await eventually(() => heard.slice(soFar), [...told]);
    }
    await bothSee(ada, bob, rooms.lobby);
    await allHeardOnce(heard, deeds);
    await ada.page.reload();
    await bothSee(ada, bob, rooms.lobby);
    close();
  });
});
