import { afterAll, describe, expect } from 'vitest';
import { eventually } from './stage/eventually.ts';
import { hasFocus } from './stage/focus.ts';
import type { Person } from './stage/person.ts';
import { types } from './stage/sessions.ts';
import { closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

describe('accounts', () => {
  story('registered_is_logged_in_also_after_a_reload_until_logged_out', async ({ arrive }) => {
    const ada = await arrive('ada');
    await ada.account.seesTheLogin();
    await ada.account.register('Ada Lovelace');
    await ada.page.getByText('No conversations yet.').waitFor();
    await ada.page.reload();
    await ada.account.seesTheChat();
    await ada.account.logOut();
    await ada.page.reload();
    await ada.account.seesTheLogin();
    await ada.account.logIn();
    await ada.account.seesTheChat();
  });

  story('a_wrong_password_and_a_handle_that_nobody_has_are_told_alike', async ({ arrive }) => {
    const ada = await arrive('ada');
    await ada.account.register();
    await ada.account.logOut();
    await ada.account.logIn('not the password');
    await ada.seesProblem('Handle and password don’t match.');
    const nobody = await arrive('nobody');
    await nobody.account.logIn();
    await nobody.seesProblem('Handle and password don’t match.');
    // What was typed is still there to be put right.
    expect(await ada.page.getByLabel('Handle').inputValue()).toBe(ada.handle);
    await ada.account.logIn();
    await ada.account.seesTheChat();
  });

  story('a_handle_that_is_taken_can_be_changed', async ({ arrive }) => {
    const [ada, second] = await Promise.all([arrive('ada'), arrive('second')]);
    await ada.account.register();
    await second.account.chooseRegistration();
    await second.account.fillRegistration({ handle: ada.handle });
    await second.seesProblem('That handle is taken. Pick another one.');
    await second.page.getByLabel('Handle').fill(second.handle);
    await second.page.getByRole('button', { name: 'Create account' }).click();
    await second.account.seesTheChat();
  });

  story('what_is_not_of_the_right_form_is_said_in_words', async ({ arrive }) => {
    const ada = await arrive('ada');
    await ada.account.chooseRegistration();
    await ada.account.fillRegistration({ handle: 'Ada Lovelace' });
    await ada.seesProblem('A handle is 2 to 32 characters');
    await ada.account.fillRegistration({ handle: '' });
    await ada.seesProblem('Enter your handle.');
    await ada.account.fillRegistration({ password: '' });
    await ada.seesProblem('Enter your password.');
    await ada.account.fillRegistration({ password: 'short' });
    await ada.seesProblem(/8/);
    await ada.account.fillRegistration({ handle: `@${ada.handle.toUpperCase()} ` });
    await ada.account.seesTheChat();
  });

  story('the_keyboard_is_enough', async ({ arrive }) => {
    const ada = await arrive('ada');
    const { keyboard } = ada.page;
    const writeAndGoOn = async (text: string) => {
      await keyboard.type(text);
      await keyboard.press('Tab');
    };
    await ada.page.getByRole('button', { name: 'Create an account' }).focus();
    await keyboard.press('Enter');
    await writeAndGoOn(ada.handle);
    await writeAndGoOn('Ada');
    await keyboard.type('correct horse battery');
    await keyboard.press('Enter');
    await ada.account.seesTheChat();
    await keyboard.press('Tab');
    await keyboard.press('Enter');
    const search = ada.page.getByRole('searchbox', { name: 'Find people' });
    await hasFocus(search);
    await keyboard.press('Escape');
    await search.waitFor({ state: 'detached' });
    // Back where it came from.
    const opener = ada.page.getByRole('button', { name: 'New conversation' });
    await hasFocus(opener);
    await keyboard.press('Enter');
    await keyboard.type(ada.handle);
    await ada.page.getByRole('list', { name: 'People' }).getByText('Ada (you)').waitFor();
    // Chosen, and begun.
    await keyboard.press('Enter');
    await keyboard.press('Enter');
    await ada.talk.composer.waitFor();
    await keyboard.type('a note to myself');
    await keyboard.press('Enter');
    await ada.talk.seesTexts(['a note to myself']);
    // Nobody else has to read it.
    await ada.talk.seesMark('Read');
  });
});

describe('two tabs of one person', () => {
  story('evt2_what_is_written_in_one_shows_in_both_once', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
    await ada.list.talkTo(bob);
    const second = await ada.anotherTab();
    await second.account.seesTheChat();
    await second.talk.goTo(bob.handle);
    await ada.talk.write('from the first');
    await second.talk.seesTexts(['from the first']);
    await second.talk.write('from the second');
    await bob.list.open('Ada');
    for (const tab of [ada, second, bob]) await tab.talk.seesTexts(['from the first', 'from the second']);
    await ada.talk.seesMark('Read');
    await second.talk.seesMark('Read');
    const sent = [...ada.sessions, ...second.sessions].flatMap((session) => session.sent);
    expect(types(sent).filter((type) => type === 'send')).toHaveLength(2);
  });

  story('hrt4_logging_out_in_one_ends_the_other', async ({ arrive }) => {
    const ada = await arrive('ada');
    await ada.account.register();
    const [second, elsewhere] = await Promise.all([ada.anotherTab(), arrive('elsewhere')]);
    await second.account.seesTheChat();
    await elsewhere.account.logInAs(ada);
    await ada.account.logOut();
    await second.account.seesTheLogin('You were logged out.');
    await eventually(() => keptOf(second), '[]');
    // Another browser is another session, and goes on.
    await elsewhere.page.reload();
    await elsewhere.account.seesTheChat(ada.handle);
  });

  story('what_one_tab_wrote_offline_is_sent_by_the_other_when_it_was_closed', async ({ arrive, door }) => {
    const cable = await door();
    const [ada, bob] = await Promise.all([arrive('ada', cable.url), arrive('bob')]);
    await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
    const second = await ada.anotherTab();
    await second.account.seesTheChat();
    await ada.list.talkTo(bob);
    await ada.goOffline(cable);
    await ada.talk.write('left behind');
    await ada.talk.seesMark('Waiting to be sent');
    await ada.talk.hasKept(['left behind']);
    await ada.page.close();
    await second.comeBack(cable);
    await bob.list.open('Ada');
    await bob.talk.seesTexts(['left behind']);
    await second.list.open('Bob');
    await second.talk.seesTexts(['left behind']);
  });

  story('nothing_of_one_person_is_left_for_the_next', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
    await ada.list.talkTo(bob);
    await ada.talk.write('between us');
    await ada.talk.seesMark('Delivered');
    await ada.page.reload();
    await ada.talk.seesTexts(['between us']);
    await eventually(async () => (await keptOf(ada)).includes('between us'), true);
    await ada.account.logOut();
    expect(await keptOf(ada)).not.toContain('between us');
    const carol = await arrive('carol');
    await carol.account.register('Carol');
    await carol.account.logOut();
    await ada.account.logInAs(carol);
    await ada.page.getByText('No conversations yet.').first().waitFor();
    expect(await ada.page.getByText('between us').count()).toBe(0);
  });
});

/** All that this browser keeps of what the person could see. */
function keptOf({ page, handle }: Person): Promise<string> {
  return page.evaluate(
    (name) =>
      new Promise<string>((resolve, reject) => {
        const opening = indexedDB.open(name);
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const database = opening.result;
          const asked = database.transaction('cache').objectStore('cache').getAll();
          asked.onsuccess = () => {
            database.close();
            resolve(JSON.stringify(asked.result));
          };
        };
      }),
    `natter:${handle}`,
  );
}

describe('what keeps the page safe', () => {
  story('the_page_runs_nothing_but_its_own_files_also_when_it_comes_out_of_the_cache', async ({ arrive }) => {
    const ada = await arrive('ada');
    for (const answer of [ada.firstAnswer, await ada.page.reload()]) {
      const headers = answer?.headers() ?? {};
      const policy = headers['content-security-policy'] ?? '';
      expect(policy).toContain("default-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).toContain("require-trusted-types-for 'script'");
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
      await ada.account.seesTheLogin();
    }
  });

  story('no_script_and_no_address_can_get_at_a_token', async ({ arrive }) => {
    const ada = await arrive('ada');
    const addresses: string[] = [];
    ada.page.on('request', (request) => addresses.push(request.url()));
    ada.page.on('websocket', (socket) => addresses.push(socket.url()));
    await ada.account.register();
    await ada.page.reload();
    await ada.account.seesTheChat();
    const [cookie, ...others] = await ada.context.cookies(`${ada.page.url()}auth/refresh`);
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({
      name: 'natter_refresh',
      httpOnly: true,
      sameSite: 'Strict',
      path: '/auth',
    });
    const kept = await ada.page.evaluate(() =>
      JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }]),
    );
    expect(kept).toBe(JSON.stringify(['', { 'natter:last-user': ada.handle }, {}]));
    const said = () => ada.sessions.at(-1)?.sent[0]?.token;
    await eventually(said, expect.stringMatching(/^ey.*\..*\./));
    const access = said();
    for (const address of addresses) {
      expect(address).not.toContain(String(access));
      expect(address).not.toContain(cookie?.value);
    }
  });
});
