import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect } from 'vitest';
import { eventually } from './stage/eventually.ts';
import { hasFocus } from './stage/focus.ts';
import { closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

const roomName = () => `Cards ${randomBytes(3).toString('hex')}`;

describe('pins', () => {
  story('who_may_pins_messages_and_everybody_finds_them', async ({ arrive }) => {
    const [ada, bob, cy] = await Promise.all([arrive('ada'), arrive('bob'), arrive('cy')]);
    const names = ['Ada Lovelace', 'Bob', 'Cy'];
    await Promise.all([ada, bob, cy].map((person, n) => person.account.register(names[n])));
    const name = roomName();
    await ada.room.makes(name);
    await Promise.all([bob.room.joins(name), cy.room.joins(name)]);
    await bob.talk.write('The cards are in the drawer');
    await cy.talk.write('The drawer is upstairs');
    await ada.talk.seesTexts(['The cards are in the drawer', 'The drawer is upstairs']);

    // A member is not offered what would be refused.
    expect(await bob.message.offers('The drawer is upstairs')).toEqual([
      'Reply',
      'Copy link',
      'Reply in thread',
    ]);
    await ada.message.acts('The cards are in the drawer', 'Pin');
    await ada.message.line('The cards are in the drawer').getByText('Pinned', { exact: true }).waitFor();
    await cy.message.line('The cards are in the drawer').getByText('Pinned', { exact: true }).waitFor();
    await cy.beside.pins.getByText('1 pinned').waitFor();

    await bob.beside.pins.press('Enter');
    await bob.beside
      .listed('Pinned messages', 'The cards are in the drawer')
      .getByText('Pinned by Ada Lovelace')
      .waitFor();
    await ada.message.acts('The drawer is upstairs', 'Pin');
    await eventually(
      () => bob.beside.texts('Pinned messages'),
      ['The drawer is upstairs', 'The cards are in the drawer'],
    );
    expect(await bob.beside.pane.getByRole('button', { name: 'Unpin' }).count()).toBe(0);
    const link = bob.beside.listed('Pinned messages', 'The cards are in the drawer').getByRole('link');
    await link.press('Enter');
    await bob.message.line('The cards are in the drawer').and(bob.page.locator('.lit')).waitFor();
    expect(new URL(bob.page.url()).hash).toMatch(/\/pins$/);

    await ada.beside.pins.press('Enter');
    await ada.beside
      .listed('Pinned messages', 'The cards are in the drawer')
      .getByRole('button', { name: 'Unpin' })
      .press('Enter');
    for (const person of [ada, bob])
      await eventually(() => person.beside.texts('Pinned messages'), ['The drawer is upstairs']);
    await hasFocus(ada.beside.pane.getByRole('heading', { name: 'Pinned messages' }));
    await bob.page.reload();
    await eventually(() => bob.beside.texts('Pinned messages'), ['The drawer is upstairs']);
    // What is deleted is not pinned any more; whose it is is said before.
    await ada.message.acts('The drawer is upstairs', 'Delete');
    const dialog = ada.page.getByRole('dialog', { name: 'Delete the message of Cy?' });
    await dialog.getByRole('button', { name: 'Delete' }).press('Enter');
    await bob.talk.seesTexts(['The cards are in the drawer', 'Message deleted']);
    await bob.beside.pane.getByText('Nothing is pinned here.').waitFor();
    await bob.beside.pins.waitFor({ state: 'detached' });
  });

  story('among_two_both_pin', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
    await ada.list.talkTo(bob);
    await ada.talk.write('The number is 42');
    await bob.list.open('Ada Lovelace');
    expect(await bob.message.offers('The number is 42')).toEqual([
      'Reply',
      'Copy link',
      'Reply in thread',
      'Pin',
    ]);
    await bob.message.acts('The number is 42', 'Pin');
    await ada.beside.pins.getByText('1 pinned').waitFor();
    await ada.message.acts('The number is 42', 'Unpin');
    await bob.beside.pins.waitFor({ state: 'detached' });
  });
});
