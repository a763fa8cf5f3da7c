import { afterAll, describe, expect } from 'vitest';
import { eventually } from './stage/eventually.ts';
import { hasFocus } from './stage/focus.ts';
import { PASSWORD } from './stage/person/account.ts';
import { opensSettings } from './stage/person/settings.ts';
import type { Person } from './stage/person.ts';
import { closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

const NEW_PASSWORD = 'another horse entirely';

async function opens(person: Person, section: string): Promise<void> {
  await opensSettings(person, section);
  await isAt(person, section);
}

/** Its heading has the focus, so that what comes next is read. */
function isAt({ page }: Person, section: string): Promise<void> {
  const head = page.getByRole('heading', { name: section, exact: true, level: 3 });
  return hasFocus(head);
}

describe('the settings', () => {
  story('the_language_changes_at_once_and_stays_over_a_reload_and_a_logout', async ({ arrive }) => {
    const ada = await arrive('ada');
    await ada.account.register('Ada');
    await opens(ada, 'Language');
    await ada.page.getByRole('radio', { name: 'Deutsch' }).check();
    await ada.page.getByRole('heading', { name: 'Sprache', exact: true }).waitFor();
    await ada.page.getByRole('status').getByText('Gespeichert').waitFor();
    await ada.page.reload();
    await ada.page.getByRole('radio', { name: 'Deutsch', checked: true }).waitFor();
    await eventually(() => ada.page.locator('html').getAttribute('lang'), 'de');
    await ada.page.getByRole('region', { name: 'Einstellungen' }).getByText('Abmelden').click();
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Abmelden' }).click();
    await ada.page.getByRole('form', { name: 'Anmelden' }).waitFor();
    // Back to what the browser asks for, before anybody is in.
    await ada.page.getByRole('combobox', { name: 'Sprache der Seite' }).selectOption('Wie der Browser');
    await ada.account.seesTheLogin();
  });

  story('the_theme_and_the_size_of_the_text_hold_for_all_tabs_of_the_browser', async ({ arrive }) => {
    const ada = await arrive('ada', undefined, { colorScheme: 'light' });
    const looks = ({ page }: Person) =>
      page.evaluate(() => {
        const { backgroundColor } = getComputedStyle(document.body);
        return [backgroundColor, getComputedStyle(document.documentElement).fontSize];
      });
    await ada.page.getByRole('combobox', { name: 'Theme' }).selectOption('Dark');
    await eventually(() => looks(ada), ['rgb(17, 21, 19)', '16px']);
    await ada.account.register('Ada');
    const second = await ada.anotherTab();
    await opens(second, 'Appearance');
    await second.page.getByRole('radio', { name: 'Dark', checked: true }).waitFor();
    await second.page.getByRole('radio', { name: 'Light' }).check();
    await second.page.getByRole('radio', { name: 'Larger' }).check();
    for (const tab of [ada, second]) await eventually(() => looks(tab), ['rgb(243, 244, 241)', '20px']);
    await second.page.getByRole('radio', { name: 'As your system' }).check();
    await second.page.emulateMedia({ colorScheme: 'dark' });
    await eventually(() => looks(second), ['rgb(17, 21, 19)', '20px']);
  });

  story('a_name_and_a_status_are_seen_by_others_and_kept', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
    await ada.list.talkTo(bob);
    await ada.talk.write('Hello');
    await bob.list.open('Ada');
    await opens(ada, 'Profile');
    const name = ada.page.getByRole('textbox', { name: 'Display name' });
    await eventually(() => name.inputValue(), 'Ada');
    await name.fill('A'.repeat(65));
    await name.press('Enter');
    await ada.page.getByText('A name has at most 64 characters.').waitFor();
    await name.fill(' Ada Lovelace ');
    await name.press('Enter');
    await bob.talk.head.getByRole('heading', { name: 'Ada Lovelace' }).waitFor();
    await ada.page.getByRole('status').getByText('Saved').waitFor();
    await ada.page.getByRole('radio', { name: 'Busy' }).check();
    await bob.talk.head.getByText('Busy').waitFor();
    await ada.page.reload();
    await eventually(() => name.inputValue(), 'Ada Lovelace');
    await ada.page.getByRole('radio', { name: 'Busy', checked: true }).waitFor();
    await bob.talk.head.getByText('Busy').waitFor();
    await ada.page.getByRole('radio', { name: 'Invisible' }).check();
    await bob.talk.head.getByText(/Last seen|Offline/).waitFor();
  });

  story('hrt4_a_new_password_ends_all_other_logins_and_the_old_one_is_refused', async ({ arrive }) => {
    const ada = await arrive('ada');
    await ada.account.register('Ada');
    const elsewhere = await arrive('elsewhere');
    await elsewhere.account.logInAs(ada);
    await opens(ada, 'Password');
    const { page } = ada;
    const fill = async (current: string, next: string, again = next) => {
      await page.getByLabel('Current password').fill(current);
      await page.getByLabel('New password', { exact: true }).fill(next);
      await page.getByLabel('New password again').fill(again);
      await page.getByRole('button', { name: 'Change password' }).click();
    };
    const refused = async (field: string, why: string) => {
      const input = page.getByLabel(field, { exact: true });
      await hasFocus(input);
      expect(await input.getAttribute('aria-invalid')).toBe('true');
      const note = await input.getAttribute('aria-describedby');
      await page.locator(`[id="${note}"]`).getByText(why).waitFor();
    };
    await fill(PASSWORD, 'short');
    await refused('New password', 'at least 8 characters');
    await fill(PASSWORD, NEW_PASSWORD, `${NEW_PASSWORD}.`);
    await refused('New password again', 'not the same');
    ada.expectsFault(/^answer: 403 to POST \/auth\/password/);
    await fill('not the password', NEW_PASSWORD);
    await refused('Current password', 'not your current password');
    await fill(PASSWORD, NEW_PASSWORD);
    await page.getByRole('status').getByText('Your password is changed.').waitFor();
    await elsewhere.account.seesTheLogin('You were logged out.');
    await page.reload();
    await ada.account.seesTheChat();
    await page.getByRole('region', { name: 'Settings' }).getByText('Log out').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click();
    await ada.account.seesTheLogin();
    await ada.account.logIn(PASSWORD);
    await ada.seesProblem('Handle and password don’t match.');
    await ada.account.logIn(NEW_PASSWORD);
    await ada.account.seesTheChat();
  });

  story('cmd7_who_was_blocked_is_taken_back_from_the_list', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
    await ada.list.talkTo(bob);
    await ada.talk.write('Hello');
    await ada.beside.opensProfile();
    await ada.beside.blocks('Bob');
    await ada.beside.closes();
    await ada.page.getByText('You have blocked Bob.').waitFor();
    await opens(ada, 'Privacy');
    const list = ada.page.getByRole('list', { name: 'Blocked people' });
    await list.getByText('Bob', { exact: true }).waitFor();
    // Known from history, too, by name.
    await ada.page.reload();
    await list.getByText('Bob', { exact: true }).waitFor();
    await list.getByRole('button', { name: 'Unblock Bob' }).press('Enter');
    await ada.page.getByText('You have blocked nobody.').waitFor();
    await ada.page.getByRole('status').getByText('Bob is no longer blocked').waitFor();
    await bob.list.open('Ada');
    await bob.talk.write('Thank you');
    await bob.talk.seesTexts(['Hello', 'Thank you']);
  });

  story('on_a_phone_the_sections_come_first_and_then_one_of_them', async ({ arrive }) => {
    const ada = await arrive('ada', undefined, { viewport: { width: 320, height: 640 }, hasTouch: true });
    await ada.account.register('Ada');
    await opens(ada, 'Notifications');
    const sections = ada.page.getByRole('navigation', { name: 'Settings' });
    await sections.waitFor({ state: 'hidden' });
    await ada.page.getByRole('link', { name: 'Back to settings' }).click();
    await sections.waitFor();
    await ada.page.getByRole('heading', { name: 'Notifications' }).waitFor({ state: 'hidden' });
    await ada.page.getByRole('link', { name: 'Back to conversations' }).click();
    await ada.account.seesTheChat();
  });
});
