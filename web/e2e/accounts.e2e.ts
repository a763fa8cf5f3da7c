import { afterAll, describe, expect } from 'vitest';
import { eventually } from './stage/eventually.ts';
import { types } from './stage/sessions.ts';
import { closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

describe('accounts', () => {
  story('registered_is_logged_in_also_after_a_reload_until_logged_out', async ({ arrive }) => {
    const ada = await arrive('ada');
    await ada.seesTheLogin();
    await ada.register('Ada Lovelace');
    await ada.page.getByText('No conversations yet.').waitFor();
    await ada.page.reload();
    await ada.seesTheChat();
    await ada.logOut();
    await ada.page.reload();
    await ada.seesTheLogin();
    await ada.logIn();
    await ada.seesTheChat();
  });

  story('a_wrong_password_and_a_handle_that_nobody_has_are_told_alike', async ({ arrive }) => {
    const ada = await arrive('ada');
    await ada.register();
    await ada.logOut();
    await ada.logIn('not the password');
    await ada.seesProblem('Handle and password don’t match.');
    const nobody = await arrive('nobody');
    await nobody.logIn();
    await nobody.seesProblem('Handle and password don’t match.');
    // What was typed is still there to be put right.
    expect(await ada.page.getByLabel('Handle').inputValue()).toBe(ada.handle);
    await ada.logIn();
    await ada.seesTheChat();
  });

  story('a_handle_that_is_taken_can_be_changed', async ({ arrive }) => {
    const [ada, second] = await Promise.all([arrive('ada'), arrive('second')]);
    await ada.register();
    await second.chooseRegistration();
    await second.fillRegistration({ handle: ada.handle });
    await second.seesProblem('That handle is taken. Pick another one.');
    await second.page.getByLabel('Handle').fill(second.handle);
    await second.page.getByRole('button', { name: 'Create account' }).click();
    await second.seesTheChat();
  });

  story('what_is_not_of_the_right_form_is_said_in_words', async ({ arrive }) => {
    const ada = await arrive('ada');
    await ada.chooseRegistration();
    await ada.fillRegistration({ handle: 'Ada Lovelace' });
    await ada.seesProblem('A handle is 2 to 32 characters');
    await ada.fillRegistration({ handle: '' });
    await ada.seesProblem('Enter your handle.');
    await ada.fillRegistration({ password: '' });
    await ada.seesProblem('Enter your password.');
    await ada.fillRegistration({ password: 'short' });
    await ada.seesProblem(/8/);
    await ada.fillRegistration({ handle: `@${ada.handle.toUpperCase()} ` });
    await ada.seesTheChat();
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
    await ada.seesTheChat();
    await keyboard.press('Tab');
    await keyboard.press('Enter');
    const search = ada.page.getByRole('searchbox', { name: 'Find people' });
    await eventually(() => search.evaluate((field) => field === document.activeElement), true);
    await keyboard.press('Escape');
    await search.waitFor({ state: 'detached' });
    // Back where it came from.
    const opener = ada.page.getByRole('button', { name: 'New conversation' });
    expect(await opener.evaluate((button) => button === document.activeElement)).toBe(true);
    await keyboard.press('Enter');
    await keyboard.type(ada.handle);
    await ada.page.getByRole('list', { name: 'People' }).getByText('Ada (you)').waitFor();
    await keyboard.press('Enter');
    await ada.composer.waitFor();
    await keyboard.type('a note to myself');
    await keyboard.press('Enter');
    await ada.seesTexts(['a note to myself']);
    // Nobody else has to read it.
    await ada.seesMark('Read');
  });
});

describe('two tabs of one person', () => {
  story('evt2_what_is_written_in_one_shows_in_both_once', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.register('Ada'), bob.register('Bob')]);
    await ada.talkTo(bob);
    const second = await ada.anotherTab();
    await second.seesTheChat();
    await second.goToConversationWith(bob.handle);
    await ada.write('from the first');
    await second.seesTexts(['from the first']);
    await second.write('from the second');
    await bob.openFromList('Ada');
    for (const tab of [ada, second, bob]) await tab.seesTexts(['from the first', 'from the second']);
    await ada.seesMark('Read');
    await second.seesMark('Read');
    const sent = [...ada.sessions, ...second.sessions].flatMap((session) => session.sent);
    expect(types(sent).filter((type) => type === 'send')).toHaveLength(2);
  });

  story('hrt4_logging_out_in_one_ends_the_other', async ({ arrive }) => {
    const ada = await arrive('ada');
    await ada.register();
    const [second, elsewhere] = await Promise.all([ada.anotherTab(), arrive('elsewhere')]);
    await second.seesTheChat();
    await elsewhere.logInAs(ada);
    await ada.logOut();
    await second.seesTheLogin('You were logged out.');
    // Another browser is another session, and goes on.
    await elsewhere.page.reload();
    await elsewhere.seesTheChat(ada.handle);
  });

  story('what_one_tab_wrote_offline_is_sent_by_the_other_when_it_was_closed', async ({ arrive, door }) => {
    const cable = await door();
    const [ada, bob] = await Promise.all([arrive('ada', cable.url), arrive('bob')]);
    await Promise.all([ada.register('Ada'), bob.register('Bob')]);
    const second = await ada.anotherTab();
    await second.seesTheChat();
    await ada.talkTo(bob);
    await ada.goOffline(cable);
    await ada.write('left behind');
    await ada.seesMark('Waiting to be sent');
    await ada.hasKept(['left behind']);
    await ada.page.close();
    await second.comeBack(cable);
    await bob.openFromList('Ada');
    await bob.seesTexts(['left behind']);
    await second.openFromList('Bob');
    await second.seesTexts(['left behind']);
  });

  story('nothing_of_one_person_is_left_for_the_next', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.register('Ada'), bob.register('Bob')]);
    await ada.talkTo(bob);
    await ada.write('between us');
    await ada.seesMark('Delivered');
    await ada.logOut();
    const carol = await arrive('carol');
    await carol.register('Carol');
    await carol.logOut();
    await ada.logInAs(carol);
    await ada.page.getByText('No conversations yet.').first().waitFor();
    expect(await ada.page.getByText('between us').count()).toBe(0);
  });
});

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
      await ada.seesTheLogin();
    }
  });

  story('no_script_and_no_address_can_get_at_a_token', async ({ arrive }) => {
    const ada = await arrive('ada');
    const addresses: string[] = [];
    ada.page.on('request', (request) => addresses.push(request.url()));
    ada.page.on('websocket', (socket) => addresses.push(socket.url()));
    await ada.register();
    await ada.page.reload();
    await ada.seesTheChat();
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
    expect(kept).toBe('["",{},{}]');
    const access = ada.sessions.at(-1)?.sent[0]?.token;
    expect(access).toEqual(expect.stringMatching(/^ey.*\..*\./));
    for (const address of addresses) {
      expect(address).not.toContain(String(access));
      expect(address).not.toContain(cookie?.value);
    }
  });
});
