/** The page as an app: it opens without a network, and a new version comes when somebody wants it. */
import type { Page } from 'playwright-core';
import { afterAll, expect, inject } from 'vitest';
import { eventually } from './stage/eventually.ts';
import { hasFocus } from './stage/focus.ts';
import { Front } from './stage/front.ts';
import type { Person } from './stage/person.ts';
import { closeBrowser, story } from './stage/story.ts';

const INSTALLED = { serviceWorkers: 'allow' } as const;

afterAll(closeBrowser);

/** Until the worker answers for this page. */
async function isInstalled({ page }: Person): Promise<void> {
  await eventually(() => page.evaluate(() => navigator.serviceWorker.controller?.state ?? null), 'activated');
}

const versionOf = ({ page }: Person) => page.locator('meta[name="version"]').getAttribute('content');
const notice = (page: Page) => page.getByRole('status', { name: 'Updates' });
const NEW = /^A new version of Natter is ready/;

story('the_page_opens_without_a_network_and_says_so', async ({ arrive, door }) => {
  const cable = await door();
  const ada = await arrive('ada', cable.url, INSTALLED);
  await ada.account.register();
  await isInstalled(ada);

  await ada.goOffline(cable);
  const answer = await ada.page.reload();
  expect(answer?.fromServiceWorker()).toBe(true);
  await ada.page.getByText('You’re offline.').first().waitFor();
  await ada.comeBack(cable);
  await ada.account.seesTheChat();

  // A network that is there, with nothing behind it.
  cable.cut();
  await ada.page.reload();
  await ada.seesBanner(/^Reconnecting/);
  cable.mend();
  await ada.account.seesTheChat();
});

story('a_conversation_is_read_and_written_to_without_a_network', async ({ arrive, door }) => {
  const cable = await door();
  const [ada, bob] = [await arrive('ada', cable.url, INSTALLED), await arrive('bob')];
  await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
  await isInstalled(ada);
  await ada.list.talkTo(bob);
  await ada.talk.write('Before the tunnel');
  await ada.talk.seesMark('Delivered');

  await ada.goOffline(cable);
  await ada.page.reload();
  await ada.talk.seesTexts(['Before the tunnel']);
  await ada.seesBanner('You’re offline');
  await ada.talk.write('In the tunnel');
  await ada.talk.seesMark('Waiting to be sent');
  await ada.talk.hasKept(['In the tunnel']);
  // The page is closed, and opened again in the middle of it.
  await ada.page.reload();
  await ada.talk.seesTexts(['Before the tunnel', 'In the tunnel']);
  await ada.comeBack(cable);
  await ada.talk.seesMark('Delivered');
  await bob.list.open('Ada');
  await bob.talk.seesTexts(['Before the tunnel', 'In the tunnel']);
});

story('only_the_shell_is_kept', async ({ arrive }) => {
  const [ada, bob] = [await arrive('ada', undefined, INSTALLED), await arrive('bob')];
  await Promise.all([ada.account.register(), bob.account.register()]);
  await isInstalled(ada);
  await ada.page.reload();
  await ada.account.seesTheChat();
  await ada.list.talkTo(bob);
  await ada.talk.write('for you alone');
  await ada.talk.seesMark('Delivered');
  const kept = await ada.page.evaluate(async () => {
    const names = await caches.keys();
    const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return requests.flat().map(({ url }) => new URL(url).pathname);
  });
  expect(kept).toContain('/');
  expect(kept.filter((path) => !/^\/(?:$|assets\/|favicon\.svg$)/.test(path))).toEqual([]);
});

story(
  'a_new_version_is_announced_and_comes_to_each_tab_when_it_is_asked_for',
  async ({ arrive, onTestFinished }) => {
    const front = await Front.to(inject('natterUrl'));
    onTestFinished(() => front.close());
    const ada = await arrive('ada', front.url, INSTALLED);
    await ada.account.register();
    await isInstalled(ada);
    const first = await ada.anotherTab();
    await first.account.seesTheChat();
    expect(await versionOf(first)).toBe('1');
    expect(await notice(ada.page).textContent()).toBe('');

    front.release();
    // Whoever comes is answered with what is kept, and then the browser asks whether there is something newer.
    const second = await ada.anotherTab();
    await second.account.seesTheChat();
    expect(await versionOf(second)).toBe('1');
    for (const { page } of [ada, first, second]) await notice(page).getByText(NEW).waitFor();

    // It waits for a word, and not for a page that happens to be loaded again.
    await second.page.reload();
    await notice(second.page).getByText(NEW).waitFor();
    expect(await versionOf(second)).toBe('1');

    await first.page.evaluate(() => {
      document.title = 'untouched';
    });
    await second.page.getByRole('button', { name: 'Reload' }).click();
    await eventually(() => versionOf(second), '2');
    await second.account.seesTheChat();
    expect(await notice(second.page).textContent()).toBe('');

    // The others go on as they were, and are still asked.
    await notice(first.page).getByText(NEW).waitFor();
    expect([await versionOf(first), await first.page.title()]).toEqual(['1', 'untouched']);
    await first.page.getByRole('button', { name: 'Later' }).press('Enter');
    await eventually(() => notice(first.page).textContent(), '');
    await hasFocus(first.page.getByRole('main').getByRole('heading', { level: 2 }));
    await ada.page.getByRole('button', { name: 'Reload' }).click();
    await eventually(() => versionOf(ada), '2');
    await ada.account.seesTheChat();
  },
);
