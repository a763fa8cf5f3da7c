import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, inject } from 'vitest';
import { Api } from './stage/api.ts';
import { eventually } from './stage/eventually.ts';
import { closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

const roomName = () => `Mill ${randomBytes(3).toString('hex')}`;

describe('a search', () => {
  story('finds_what_was_said_here_and_everywhere_and_leads_there', async ({ arrive }) => {
    const [ada, bob, cy] = await Promise.all([arrive('ada'), arrive('bob'), arrive('cy')]);
    const names = ['Ada Lovelace', 'Bob', 'Cy'];
    await Promise.all([ada, bob, cy].map((person, n) => person.account.register(names[n])));
    const name = roomName();
    await ada.room.makes(name);
    const room = ada.room.id;
    await Promise.all([bob.room.joins(name), cy.room.joins(name)]);
    await bob.talk.write('The engine weaves ||secret engines||');
    await cy.talk.write('Which engine?');
    await ada.talk.seesTexts(['The engine weaves Spoiler', 'Which engine?']);
    const seq = Number(await ada.message.line('Which engine?').getAttribute('data-seq'));
    const api = await Api.of(bob, inject('natterUrl'));
    await api.command('POST', '/api/messages', {
      to: { conversation: room },
      text: 'An engine of brass',
      thread: seq,
    });
    await bob.list.talkTo(ada);
    await bob.talk.write('My engine is yours');
    await ada.list.row('Bob').getByText('My engine is yours').waitFor();

    await ada.beside.opens('Search');
    await ada.beside.looksFor('engi');
    await eventually(
      () => ada.beside.texts('Found messages'),
      ['An engine of brass', 'Which engine?', 'The engine weaves ▇▇▇'],
    );
    expect(await ada.beside.pane.locator('mark').allTextContents()).toEqual(['engine', 'engine', 'engine']);

    await ada.beside.pane.getByRole('button', { name: 'Who and when' }).press('Enter');
    await ada.beside.pane.getByLabel('From').fill(`@${cy.handle}`);
    await eventually(() => ada.beside.texts('Found messages'), ['Which engine?']);
    await ada.beside.pane.getByLabel('Before').fill('2020-01-01');
    await ada.beside.pane.getByText('Nothing found for “engi”.').waitFor();
    await ada.beside.pane.getByLabel('Before').fill('');
    await ada.beside.pane.getByLabel('From').fill('');

    await ada.beside.pane.getByLabel('Search everywhere').check();
    await eventually(async () => (await ada.beside.texts('Found messages'))[0], 'My engine is yours');
    await ada.beside.listed('Found messages', 'My engine is yours').getByText('Bob').first().waitFor();
    await ada.beside.listed('Found messages', 'My engine is yours').getByRole('link').press('Enter');
    await ada.talk.head.getByRole('heading', { name: 'Bob' }).waitFor();
    // What was asked stays while one looks around.
    await eventually(() => ada.beside.pane.getByRole('searchbox').inputValue(), 'engi');
    await eventually(async () => (await ada.beside.texts('Found messages')).length, 4);
    await ada.beside.listed('Found messages', 'An engine of brass').getByText('in a thread').waitFor();
    await ada.beside.listed('Found messages', 'An engine of brass').getByRole('link').press('Enter');
    await ada.beside.thread.seesTexts(['An engine of brass']);
    // The way back leads to what was found; what one closes is gone.
    await ada.page.goBack();
    await eventually(async () => (await ada.beside.texts('Found messages')).length, 4);
    await ada.beside.closes();
    await ada.beside.opens('Search');
    await eventually(() => ada.beside.pane.getByRole('searchbox').inputValue(), '');
    expect(await ada.beside.pane.getByRole('list', { name: 'Found messages' }).count()).toBe(0);
  });

  story('that_a_cut_came_between_goes_on_by_itself', async ({ arrive, door }) => {
    const cable = await door();
    const [ada, bob] = await Promise.all([arrive('ada', cable.url), arrive('bob')]);
    await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
    await bob.list.talkTo(ada);
    await bob.talk.write('The loom stands still');
    await ada.list.open('Bob');
    await ada.beside.opens('Search');
    await ada.goOffline(cable);
    await ada.beside.looksFor('loom');
    await ada.beside.pane.getByRole('alert').getByRole('button', { name: 'Try again' }).waitFor();
    await ada.comeBack(cable);
    await eventually(() => ada.beside.texts('Found messages'), ['The loom stands still']);
  });
});
