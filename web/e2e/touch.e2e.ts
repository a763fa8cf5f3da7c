/** A phone in a hand: no keyboard but the one on the screen, and nothing that hovers. */
import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect } from 'vitest';
import { eventually } from './stage/eventually.ts';
import { hasFocus } from './stage/focus.ts';
import type { Person } from './stage/person.ts';
import { closeBrowser, story } from './stage/story.ts';

const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  hasTouch: true,
  isMobile: true,
  permissions: ['clipboard-read', 'clipboard-write'],
};

afterAll(closeBrowser);

/** Taps one of the things that can be done to a message. */
async function taps(person: Person, text: string, deed: string): Promise<void> {
  await person.message.actions(text).tap();
  await person.message.line(text).getByRole('button', { name: deed, exact: true }).tap();
}

const sends = ({ page }: Person) => page.getByRole('button', { name: 'Send', exact: true }).tap();

describe('with a finger', () => {
  story('everything_that_can_be_done_to_a_message_is_reached', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada', undefined, PHONE), arrive('bob')]);
    await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
    const mill = `Mill ${randomBytes(3).toString('hex')}`;
    await ada.room.makes(mill);
    await ada.talk.write('Welcome');
    await bob.room.joins(mill);
    await bob.talk.write('Who has the cards?');
    await ada.page.getByRole('link', { name: 'Back to conversations' }).tap();
    await ada.list.row(mill).tap();
    await ada.message.line('Who has the cards?').waitFor();

    await taps(ada, 'Who has the cards?', 'React with heart');
    await bob.message.seesReactions('Who has the cards?', ['❤️ 1: Ada']);
    await taps(ada, 'Who has the cards?', 'Another emoji');
    const picker = ada.page.getByRole('dialog', { name: 'Pick an emoji' });
    await picker.getByRole('gridcell', { name: 'grinning face', exact: true }).tap();
    await picker.waitFor({ state: 'detached' });
    await bob.message.seesReactions('Who has the cards?', ['❤️ 1: Ada', '😀 1: Ada']);
    await ada.message.reaction('Who has the cards?', '❤️').tap();
    await bob.message.seesReactions('Who has the cards?', ['😀 1: Ada']);

    await taps(ada, 'Who has the cards?', 'Reply');
    await ada.talk.composer.fill('I have');
    await sends(ada);
    await bob.message.line('I have').getByText('Who has the cards?').waitFor();
    await taps(ada, 'I have', 'Edit');
    await ada.message.editField.fill('I have them');
    await ada.page.getByRole('button', { name: 'Save' }).tap();
    await bob.message.line('I have them').waitFor();

    await taps(ada, 'Who has the cards?', 'Pin');
    await ada.beside.pins.waitFor();
    await taps(ada, 'Who has the cards?', 'Copy link');
    await ada.page.getByText('Link copied').waitFor();
    const copied = await ada.page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toMatch(/#\/\w+\/[0-9a-f-]{36}\/\d+$/);

    await taps(ada, 'Who has the cards?', 'Reply in thread');
    await ada.beside.thread.composer.fill('They were in the drawer.');
    await ada.beside.pane.getByRole('button', { name: 'Send', exact: true }).tap();
    await ada.beside.thread.seesTexts(['They were in the drawer.']);
    await ada.beside.pane.getByRole('button', { name: 'Close', exact: true }).tap();
    await ada.message.replies('Who has the cards?', '1 reply').waitFor();

    await taps(ada, 'I have them', 'Delete');
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).tap();
    await bob.message.line('Message deleted').waitFor();
    await ada.page.getByRole('link', { name: 'Back to conversations' }).tap();
    await ada.list.row(mill).waitFor();
    expect(await ada.talk.composer.count()).toBe(0);
  });

  story('what_the_head_has_no_room_for_is_in_its_menu', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([
      arrive('ada', undefined, { ...PHONE, viewport: { width: 320, height: 568 } }),
      arrive('bob'),
    ]);
    await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
    await ada.list.talkTo(bob);
    const names = () =>
      ada.talk.head
        .locator('.head-panes > button')
        .evaluateAll((buttons) => buttons.map((button) => button.getAttribute('aria-label')));
    await eventually(names, ['Search', 'Options of this conversation']);
    const options = ada.page.getByRole('button', { name: 'Options of this conversation' });
    const menu = ada.page.getByRole('group', { name: 'Options of Bob' });
    // Nothing was said yet: it can be looked into, and there is nothing to be done to it.
    await options.tap();
    await eventually(
      () => menu.getByRole('button').allTextContents(),
      ['Threads', 'Profile of Bob', 'Details'],
    );
    await menu.getByRole('button', { name: 'Profile of Bob' }).tap();
    await ada.beside.pane.getByRole('heading', { name: 'Profile', exact: true }).waitFor();
    await menu.waitFor({ state: 'detached' });
    await ada.beside.closes();
    // Back where it was opened.
    await hasFocus(options);
    await ada.talk.write('Hello');
    await options.tap();
    await menu.getByRole('button', { name: 'Star', exact: true }).waitFor();
    // A wider window has room for all of it.
    await ada.page.keyboard.press('Escape');
    await ada.page.setViewportSize({ width: 640, height: 568 });
    await eventually(names, [
      'Search',
      'Threads',
      'Profile of Bob',
      'Details',
      'Options of this conversation',
    ]);
  });
});
