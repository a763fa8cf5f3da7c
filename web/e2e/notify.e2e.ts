import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect } from 'vitest';
import { eventually } from './stage/eventually.ts';
import { hasFocus } from './stage/focus.ts';
import type { Person } from './stage/person.ts';
import { closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

/** What a page told the browser to show, and what of it was taken back. */
interface Told {
  title: string;
  body: string;
  tag: string;
  closed: boolean;
}

/** Notes what the page shows outside of itself: a browser without a screen shows none of it. */
async function watchTold({ context, page }: Person): Promise<void> {
  await context.grantPermissions(['notifications']);
  await context.addInitScript(() => {
    const told: (Told & { click(): void })[] = [];
    class Spy extends EventTarget {
      static permission = 'granted';
      static requestPermission = async () => 'granted';
      onclick: (() => void) | null = null;
      onclose: (() => void) | null = null;
      readonly #entry: Told & { click(): void };
      constructor(title: string, { body = '', tag = '' }: NotificationOptions) {
        super();
        this.#entry = { title, body, tag, closed: false, click: () => this.onclick?.() };
        told.push(this.#entry);
      }
      close() {
        this.#entry.closed = true;
        this.onclose?.();
      }
    }
    Object.assign(window, { Notification: Spy, told });
    // A browser that is driven takes every tab for the one in front.
    const away = { visibilityState: 'visible', focus: true };
    Object.defineProperty(document, 'visibilityState', { get: () => away.visibilityState });
    document.hasFocus = () => away.focus;
    Object.assign(window, {
      look: (at: boolean) => {
        away.visibilityState = at ? 'visible' : 'hidden';
        away.focus = at;
        document.dispatchEvent(new Event('visibilitychange'));
        window.dispatchEvent(new Event(at ? 'focus' : 'blur'));
      },
    });
  });
  await page.reload();
}

type Page = Person['page'];

function told(page: Page): Promise<Told[]> {
  return page.evaluate(() => (window as unknown as { told: Told[] }).told.map((entry) => ({ ...entry })));
}

async function saw(page: Page): Promise<string[]> {
  return (await told(page)).map(({ title, body }) => `${title}: ${body}`);
}

function looks(page: Page, at: boolean): Promise<void> {
  return page.evaluate((at) => (window as unknown as { look(at: boolean): void }).look(at), at);
}

/** In the settings; the first time somebody asks to be told. */
async function wants({ page }: Person, level: string): Promise<void> {
  await page.evaluate(() => {
    location.hash = '#/settings/notifications';
  });
  await page.getByRole('radio', { name: level }).check();
}

async function meet(ada: Person, bob: Person): Promise<void> {
  await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
  await watchTold(ada);
  await ada.account.seesTheChat();
  await bob.list.talkTo(ada);
  await bob.talk.write('Hello');
  await ada.list.row('Bob').waitFor();
}

describe('notifications', () => {
  story('come_only_when_they_were_asked_for_and_lead_to_what_was_said', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await meet(ada, bob);
    await wants(ada, 'Mentions and direct messages');
    await looks(ada.page, false);
    await bob.talk.write('Are **you** there?');
    await eventually(() => saw(ada.page), ['Bob: Are you there?']);
    await eventually(() => ada.page.title(), '(2) Natter');
    await ada.page.evaluate(() => {
      const [first] = (window as unknown as { told: { click(): void }[] }).told;
      first?.click();
    });
    await ada.talk.seesTexts(['Hello', 'Are you there?']);
    await looks(ada.page, true);
    await eventually(() => ada.page.title(), 'Natter');
    // What is on the screen is not told of.
    await bob.talk.write('So you are');
    await ada.talk.seesTexts(['Hello', 'Are you there?', 'So you are']);
    await looks(ada.page, false);
    await bob.talk.write('And now?');
    await eventually(() => saw(ada.page), ['Bob: Are you there?', 'Bob: And now?']);
    expect((await told(ada.page)).map(({ closed }) => closed)).toEqual([true, false]);
    // Read where it was said, it is taken back.
    await looks(ada.page, true);
    await eventually(async () => (await told(ada.page)).every(({ closed }) => closed), true);
  });

  story('of_a_room_only_what_mentions_one_and_without_its_words_if_one_likes', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await meet(ada, bob);
    const name = `Engines ${randomBytes(3).toString('hex')}`;
    await bob.room.makes(name);
    await ada.room.joins(name);
    await wants(ada, 'Mentions and direct messages');
    await ada.page.getByRole('checkbox', { name: 'Show what was said' }).uncheck();
    await looks(ada.page, false);
    await bob.talk.write('Good morning');
    await bob.talk.write(`Look, @${ada.handle}`);
    await eventually(() => saw(ada.page), [`Bob · ${name}: New message`]);
    await eventually(() => ada.page.title(), '(@1) Natter');
  });

  story('stay_away_in_quiet_hours_while_what_is_unread_is_counted', async ({ arrive }) => {
    const options = { timezoneId: 'Europe/Berlin' };
    const [ada, bob] = await Promise.all([arrive('ada', undefined, options), arrive('bob')]);
    await meet(ada, bob);
    await wants(ada, 'Everything');
    const now = new Date();
    const wall = (hours: number) =>
      new Date(now.getTime() + hours * 3_600_000).toLocaleTimeString('en-GB', {
        ...{ timeZone: options.timezoneId, hour: '2-digit', minute: '2-digit' },
      });
    await ada.page.getByRole('checkbox', { name: 'No notifications and no sound' }).check();
    const quietFrom = async (from: number, to: number) => {
      await ada.page.getByLabel('From').fill(wall(from));
      await ada.page.getByLabel('to', { exact: true }).fill(wall(to));
    };
    await quietFrom(-1, 1);
    await looks(ada.page, false);
    await bob.talk.write('Psst');
    await eventually(() => ada.page.title(), '(2) Natter');
    // What is read by then is not told when the hours are others.
    await looks(ada.page, true);
    await ada.list.open('Bob');
    await eventually(() => ada.page.title(), 'Natter');
    expect(await saw(ada.page)).toEqual([]);
    await wants(ada, 'Everything');
    await quietFrom(2, 3);
    await looks(ada.page, false);
    await bob.talk.write('Good morning');
    await eventually(() => saw(ada.page), ['Bob: Good morning']);
  });

  story('come_from_one_tab_of_several_and_from_the_next_when_that_is_closed', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await meet(ada, bob);
    await wants(ada, 'Everything');
    const second = await ada.anotherTab();
    await second.account.seesTheChat();
    for (const tab of [ada, second]) await looks(tab.page, false);
    await bob.talk.write('One');
    await eventually(() => saw(ada.page), ['Bob: One']);
    // What the other tab shows, this one does not tell.
    await looks(second.page, true);
    await second.list.open('Bob');
    await bob.talk.write('Two');
    await second.talk.seesTexts(['Hello', 'One', 'Two']);
    await bob.talk.seesMark('Read');
    await looks(second.page, false);
    await ada.page.close();
    await bob.talk.write('Three');
    await eventually(() => saw(second.page), ['Bob: Three']);
  });

  story('of_what_was_missed_are_one_at_most', async ({ arrive, door }) => {
    const cable = await door();
    const [ada, bob, cy] = await Promise.all([arrive('ada', cable.url), arrive('bob'), arrive('cy')]);
    await cy.account.register('Cy');
    await meet(ada, bob);
    await wants(ada, 'Everything');
    await cy.list.talkTo(ada);
    await looks(ada.page, false);
    await ada.goOffline(cable);
    for (const text of ['One', 'Two']) await bob.talk.write(text);
    for (const text of ['Three', 'Four', 'Five']) await cy.talk.write(text);
    for (const { talk } of [bob, cy]) await talk.seesMark('Sent');
    await ada.comeBack(cable);
    await eventually(() => saw(ada.page), ['Natter: 5 new messages in 2 conversations']);
    await eventually(() => ada.page.title(), '(6) Natter');
  });

  story('are_offered_once_and_the_browser_asks_only_after_a_yes', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await ada.context.addInitScript(() => {
      const asked: string[] = [];
      const spy = {
        permission: 'default',
        requestPermission: async () => {
          asked.push('asked');
          spy.permission = 'denied';
        },
      };
      Object.assign(window, { Notification: spy, asked });
    });
    const asked = () => ada.page.evaluate(() => (window as unknown as { asked: string[] }).asked.length);
    await ada.page.reload();
    await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
    const offer = ada.page.getByRole('region', { name: 'Turn on notifications?' });
    expect(await offer.count()).toBe(0);
    await bob.list.talkTo(ada);
    await bob.talk.write('Hello');
    await offer.getByRole('button', { name: 'No, thanks' }).press('Enter');
    await offer.waitFor({ state: 'detached' });
    await hasFocus(ada.page.getByRole('link', { name: 'Logged in as' }));
    await ada.page.reload();
    await ada.list.row('Bob').waitFor();
    expect([await offer.count(), await asked()]).toEqual([0, 0]);
    await wants(ada, 'Everything');
    await ada.page.getByText('Your browser blocks notifications of this page.').waitFor();
    expect(await asked()).toBe(1);
  });
});
