import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, inject } from 'vitest';
import { Api } from './stage/api.ts';
import { eventually } from './stage/eventually.ts';
import { hasFocus } from './stage/focus.ts';
import { closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

const MANY = 120;

describe('the list', () => {
  story(
    'evt1_what_is_starred_stays_so_in_every_tab_and_what_is_hidden_comes_back_with_news',
    async ({ arrive }) => {
      const [ada, bob, cy] = await Promise.all([arrive('ada'), arrive('bob'), arrive('cy')]);
      await Promise.all([ada.account.register(), bob.account.register('Bob'), cy.account.register('Cy')]);
      for (const other of [bob, cy]) {
        await other.list.talkTo(ada);
        await other.talk.write(`Hello from ${other.handle}`);
        await ada.list.row(other.handle).waitFor();
      }
      await eventually(() => ada.list.sections(), { People: ['Cy', 'Bob'] });
      await ada.list.does('Bob', 'Star');
      await eventually(() => ada.list.sections(), { Starred: ['Bob'], People: ['Cy'] });
      // The row went to another place, and the focus with it.
      await eventually(
        () => ada.page.evaluate(() => document.activeElement?.getAttribute('aria-label')),
        'Options of Bob',
      );
      const second = await ada.anotherTab();
      await eventually(() => second.list.sections(), { Starred: ['Bob'], People: ['Cy'] });
      await ada.list.does('Cy', 'Mute');
      await second.list.row('Cy').locator('.badge-muted').waitFor();
      await second.list.row('Cy').getByText('(muted)').waitFor({ state: 'attached' });
      await eventually(() => second.page.title(), '(1) Natter');

      await ada.list.does('Bob', 'Mark as read');
      await second.list.row('Bob').locator('.badge').waitFor({ state: 'detached' });
      await second.list.does('Bob', 'Hide until something is new');
      await eventually(() => ada.list.sections(), { People: ['Cy'], Hidden: [] });
      await ada.page.reload();
      await eventually(() => ada.list.sections(), { People: ['Cy'], Hidden: [] });
      await ada.list.section('Hidden').press('Enter');
      await eventually(() => ada.list.sections(), { People: ['Cy'], Hidden: ['Bob'] });
      await bob.talk.write('Are you there?');
      await eventually(() => ada.list.sections(), { Starred: ['Bob'], People: ['Cy'] });

      // What is closed says how much is new, and stays closed on this device.
      await ada.list.section('Starred').press('Enter');
      await ada.list.section('Starred').getByText('1 unread').waitFor();
      await ada.page.reload();
      await ada.list.section('Starred').getByText('1 unread').waitFor();
      await eventually(() => ada.list.sections(), { Starred: [], People: ['Cy'] });
    },
  );

  story('a_conversation_has_the_same_menu_in_its_head', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.account.register(), bob.account.register('Bob')]);
    await ada.list.talkTo(bob);
    await ada.talk.write('Hello');
    await ada.list.row('Bob').waitFor();
    const options = ada.talk.head.getByRole('button', { name: 'Options of this conversation' });
    await options.press('Enter');
    const menu = ada.page.getByRole('group', { name: 'Options of Bob' });
    await menu.getByRole('button', { name: 'Mentions of me' }).press('Enter');
    await menu.waitFor({ state: 'detached' });
    await ada.page.setViewportSize({ width: 1280, height: 300 });
    await options.press('Enter');
    await menu.getByRole('button', { name: 'Mentions of me', pressed: true }).waitFor();
    // What happens meanwhile does not take the focus from where one is in it, not even when all moves up for it.
    const nothing = menu.getByRole('button', { name: 'Nothing' });
    await nothing.focus();
    await bob.list.open(ada.handle);
    const texts = ['Hi', 'How are you?', 'And the mill?'];
    for (const text of texts) await bob.talk.write(text);
    await ada.talk.seesTexts(['Hello', ...texts]);
    await eventually(() => ada.page.getByRole('log').evaluate((log) => log.scrollTop > 0), true);
    await hasFocus(nothing);
    await ada.page.keyboard.press('Escape');
    await ada.page.setViewportSize({ width: 1280, height: 720 });
    // A right click asks for it, too.
    await ada.list.row('Bob').click({ button: 'right' });
    await menu.getByRole('button', { name: 'Star' }).waitFor();
  });

  story('is_searched_without_accents_and_finds_whom_one_does_not_know_yet', async ({ arrive }) => {
    const [ada, bob, rene] = await Promise.all([arrive('ada'), arrive('bob'), arrive('rene')]);
    await Promise.all([
      ada.account.register(),
      bob.account.register('Bob'),
      rene.account.register('René Descartes'),
    ]);
    const room = `Meditations ${randomBytes(3).toString('hex')}`;
    await rene.room.makes(room);
    await ada.list.talkTo(bob);
    await ada.talk.write('Hello');
    await ada.list.row('Bob').waitFor();
    await ada.list.filter.fill('rene desc');
    await ada.page.getByText('Nothing is called “rene desc”.').waitFor();
    await ada.list.filter.fill(rene.handle);
    await ada.page.getByRole('heading', { name: 'More people' }).waitFor();
    await ada.list.row('René Descartes').click();
    await ada.talk.write('I think');
    await ada.list.filter.fill('rene desc');
    await ada.list.row('I think').waitFor();
    await ada.list.row('Bob').waitFor({ state: 'detached' });
    // By the keyboard: Enter opens the first, the arrows go down to what was found, and up to the filter again.
    await ada.list.filter.fill('bo');
    await ada.list.row('Bob').waitFor();
    await ada.list.filter.press('Enter');
    await ada.talk.head.getByRole('heading', { name: 'Bob' }).waitFor();
    await ada.list.filter.fill(room);
    const join = ada.page.getByRole('button', { name: `Join ${room}` });
    await join.waitFor();
    await ada.list.filter.press('ArrowDown');
    await hasFocus(join);
    await ada.page.keyboard.press('ArrowUp');
    await hasFocus(ada.list.filter);
    await ada.page.keyboard.press('ArrowDown');
    await hasFocus(join);
    await ada.page.keyboard.press('Enter');
    await ada.talk.head.getByRole('heading', { name: room }).waitFor();
    await eventually(() => ada.list.filter.inputValue(), '');
    await eventually(() => ada.list.sections(), { Rooms: [room], People: ['René Descartes', 'Bob'] });
    // The page's own shortcuts work there, too.
    await ada.list.filter.press('Alt+ArrowDown');
    await ada.talk.head.getByRole('heading', { name: 'René Descartes' }).waitFor();
  });

  story(
    'of_many_has_only_those_in_the_page_that_one_sees_and_the_arrows_lead_through_all',
    async ({ arrive }) => {
      const ada = await arrive('ada');
      await ada.account.register();
      const api = await Api.of(ada, inject('natterUrl'));
      for (let n = 0; n < MANY; n += 1)
        await api.command('POST', '/api/rooms', { name: `Room ${n}`, visibility: 'private' });
      await ada.page.reload();
      const rows = ada.page.locator('.sidebar li');
      await rows.first().waitFor();
      await eventually(() => rows.first().getAttribute('aria-setsize'), String(MANY));
      expect(await rows.count()).toBeLessThan(MANY / 2);
      await ada.list.section('Rooms').focus();
      await ada.page.keyboard.press('End');
      const focused = () =>
        ada.page.evaluate(() => document.activeElement?.closest('li')?.getAttribute('aria-posinset'));
      await eventually(focused, String(MANY));
      await ada.page.keyboard.press('ArrowUp');
      await eventually(focused, String(MANY - 1));
      const name = await ada.page.locator(':focus .row-title').textContent();
      await ada.page.keyboard.press('Enter');
      await ada.talk.head.getByRole('heading', { name: name ?? '' }).waitFor();
      await eventually(() => ada.talk.isInComposer(), true);
      await ada.page.locator('.sidebar [aria-current="true"]').waitFor();
    },
  );
});

describe('shortcuts', () => {
  story('lead_to_any_place_by_the_keyboard_alone', async ({ arrive }) => {
    const [ada, bob, cy] = await Promise.all([arrive('ada'), arrive('bob'), arrive('cy')]);
    await Promise.all([ada.account.register(), bob.account.register('Bob'), cy.account.register('Cy')]);
    for (const other of [bob, cy]) {
      await other.list.talkTo(ada);
      await other.talk.write('Hello');
      await ada.list.row(other.handle === bob.handle ? 'Bob' : 'Cy').waitFor();
    }
    const { keyboard } = ada.page;
    const opened = (name: string) => ada.talk.head.getByRole('heading', { name }).waitFor();
    await keyboard.press('Control+k');
    await ada.page.getByRole('option', { name: 'Bob' }).waitFor();
    await keyboard.press('ArrowDown');
    await ada.page.getByRole('option', { name: 'Bob', selected: true }).waitFor();
    await keyboard.press('Enter');
    // Typed without a look: it is for Bob, and no shortcut.
    await keyboard.type('n? ');
    await opened('Bob');
    await eventually(() => ada.talk.composer.inputValue(), 'n? ');

    // Cy is the only one with something new, from wherever one is.
    await keyboard.press('Alt+Shift+ArrowUp');
    await opened('Cy');
    await ada.list.row('Cy').locator('.badge').waitFor({ state: 'detached' });
    await keyboard.press('Alt+ArrowDown');
    await opened('Bob');
    await keyboard.press('Alt+ArrowUp');
    await opened('Cy');
    await ada.list.row('Bob').focus();
    await keyboard.press('Escape');
    await eventually(() => ada.talk.isInComposer(), true);

    // Where one is already, one goes on writing.
    await keyboard.press('Control+k');
    await ada.page.getByRole('combobox', { name: 'Where to?' }).fill('Cy');
    await ada.page.getByRole('option', { name: 'Cy', selected: true }).waitFor();
    await keyboard.press('Enter');
    await keyboard.type('k');
    await eventually(() => ada.talk.composer.inputValue(), 'k');
    await keyboard.press('Control+k');
    await keyboard.type('nowhere');
    await keyboard.press('Escape');
    await keyboard.type('!');
    await eventually(() => ada.talk.composer.inputValue(), 'k!');

    // Also where what one said last could be edited by the same arrow.
    await ada.talk.write('Hello yourself');
    await keyboard.press('Alt+ArrowDown');
    await opened('Bob');
    await keyboard.press('Alt+ArrowUp');
    await opened('Cy');

    // Not what one writes, but where one is not writing: the search, which keeps its place.
    await ada.list.row('Bob').focus();
    await keyboard.press('/');
    const words = ada.beside.pane.getByRole('searchbox', { name: 'Search for words' });
    await hasFocus(words);
    await ada.list.row('Cy').focus();
    await keyboard.press('/');
    await hasFocus(words);
    await keyboard.type('/ell');
    await eventually(() => words.inputValue(), '/ell');
    await keyboard.press('Escape');
    await ada.beside.pane.waitFor({ state: 'detached' });

    // A person to whom nothing was said yet, by their handle.
    const dan = await arrive('dan');
    await dan.account.register('Dan');
    await keyboard.press('Control+k');
    await ada.page.getByRole('combobox', { name: 'Where to?' }).fill(dan.handle);
    await ada.page.getByRole('option', { name: 'Dan', selected: true }).waitFor();
    await keyboard.press('Enter');
    await opened('Dan');
  });

  story(
    'wcag_2_1_4_are_on_a_sheet_that_says_what_works_and_single_keys_can_be_switched_off',
    async ({ arrive }) => {
      const ada = await arrive('ada');
      await ada.account.register();
      const { keyboard } = ada.page;
      const sheet = ada.page.getByRole('dialog', { name: 'Keyboard shortcuts' });
      await keyboard.press('?');
      // It comes when it is asked for.
      await sheet.getByRole('row').first().waitFor();
      const keysOf = async (name: string) => {
        const keys = await sheet.getByRole('row', { name }).locator('kbd').allTextContents();
        return keys.map((key) => ({ Ctrl: 'Control', Esc: 'Escape' })[key] ?? key.toLowerCase()).join('+');
      };
      const opens: [string, () => Promise<void>][] = [
        [
          'Go to a conversation',
          () => ada.page.getByRole('dialog', { name: 'Go to a conversation' }).waitFor(),
        ],
        ['New conversation', () => ada.page.getByRole('dialog', { name: 'New conversation' }).waitFor()],
        ['Show these shortcuts', () => sheet.waitFor()],
      ];
      const pressed: string[] = [];
      for (const [name] of opens) pressed.push(await keysOf(name));
      const search = await keysOf('Find in the list of conversations');
      for (const [n, [, seen]] of opens.entries()) {
        await keyboard.press('Escape');
        await ada.page.getByRole('dialog').waitFor({ state: 'detached' });
        await keyboard.press(pressed[n] ?? '');
        await seen();
      }
      await sheet.getByRole('checkbox', { name: 'Single keys do something, too' }).uncheck();
      await keyboard.press('Escape');
      await keyboard.press('n');
      await keyboard.press('Control+k');
      // Had the letter done anything, its dialog would lie there.
      await ada.page.getByRole('dialog', { name: 'Go to a conversation' }).waitFor();
      await keyboard.press('Escape');
      await ada.page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
      await sheet.getByRole('checkbox').check();
      await keyboard.press('Escape');
      await sheet.waitFor({ state: 'detached' });
      await keyboard.press(search);
      await hasFocus(ada.list.filter);
    },
  );

  story(
    'on_a_phone_the_focus_goes_to_the_name_of_what_is_open_and_comes_back_to_its_row',
    async ({ arrive }) => {
      const ada = await arrive('ada', undefined, {
        viewport: { width: 390, height: 844 },
        hasTouch: true,
        isMobile: true,
      });
      const bob = await arrive('bob');
      await Promise.all([ada.account.register(), bob.account.register('Bob')]);
      await bob.list.talkTo(ada);
      await bob.talk.write('Hello');
      await ada.list.row('Bob').focus();
      await ada.page.keyboard.press('Enter');
      const focused = () => ada.page.evaluate(() => document.activeElement?.textContent ?? '');
      await eventually(focused, 'Bob');
      await ada.page.getByRole('link', { name: 'Back to conversations' }).press('Enter');
      await eventually(async () => (await focused()).includes('Hello'), true);
    },
  );
});
