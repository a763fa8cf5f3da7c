import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, inject } from 'vitest';
import { Api } from './stage/api.ts';
import { eventually } from './stage/eventually.ts';
import { hasFocus } from './stage/focus.ts';
import { closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

const roomName = () => `Cards ${randomBytes(3).toString('hex')}`;

describe('people', () => {
  story('who_said_something_is_looked_at_written_to_and_blocked', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
    const name = roomName();
    await ada.room.makes(name);
    await bob.room.joins(name);
    await ada.talk.write('Good morning');
    await bob.talk.lines.getByRole('button', { name: 'Ada Lovelace', exact: true }).press('Enter');
    const { pane } = bob.beside;
    await pane.getByText(`@${ada.handle}`).waitFor();
    await pane.getByText('Owner of this room').waitFor();
    await pane.getByText('Online').waitFor();

    // What they say of themselves is there as soon as they say it.
    const api = await Api.of(ada, inject('natterUrl'));
    await api.command('PUT', '/api/presence', { status: 'busy', text: 'Weaving' });
    await pane.getByText('Busy').waitFor();
    await pane.getByText('Weaving').waitFor();
    await api.command('PATCH', '/api/profile', { display_name: 'Countess' });
    await pane.getByRole('heading', { name: 'Countess' }).waitFor();

    await pane.getByRole('link', { name: 'Write a message' }).press('Enter');
    await bob.talk.head.getByRole('heading', { name: 'Countess' }).waitFor();
    await bob.talk.write('Is that you?');
    await bob.beside.opensProfile();
    await bob.beside.blocks('Countess');
    await bob.page.locator('.blocked').getByText('You have blocked Countess.').waitFor();
    await bob.talk.composer.waitFor({ state: 'detached' });
    await pane.getByRole('button', { name: 'Unblock Countess' }).press('Enter');
    await bob.talk.composer.waitFor();

    // Escape goes back to where one was.
    await pane.getByRole('button', { name: 'Block Countess' }).press('Escape');
    await pane.waitFor({ state: 'detached' });
  });

  story('an_address_may_name_nobody_and_that_spoils_nothing', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
    ada.expectsFault(/404/);
    await ada.list.talkTo(bob);
    await ada.talk.write('Hello');
    await ada.page.evaluate((hash) => {
      location.hash = hash;
    }, `#/@${bob.handle}/person/nobody-has-this`);
    await ada.beside.pane.getByText('Nobody has the handle @nobody-has-this.').waitFor();
    await ada.talk.head.getByText('Online').waitFor();
    await bob.page.goto('about:blank');
    await ada.talk.head.getByText('Last seen just now').waitFor();
  });

  story('three_people_are_a_group_and_the_same_three_are_the_same_group', async ({ arrive }) => {
    const [ada, bob, cy] = await Promise.all([arrive('ada'), arrive('bob'), arrive('cy')]);
    await Promise.all([ada.account.register('Ada'), bob.account.register('Bob'), cy.account.register('Cy')]);
    await ada.list.talkTo(bob, cy);
    await ada.talk.write('The three of us');
    await Promise.all([bob.list.open('Ada'), cy.list.open('Ada')]);
    await Promise.all([bob, cy].map((person) => person.talk.seesTexts(['The three of us'])));
    await bob.talk.close();
    await bob.list.talkTo(cy, ada);
    await bob.talk.seesTexts(['The three of us']);
    await bob.talk.write('Indeed');
    await cy.talk.seesTexts(['The three of us', 'Indeed']);

    await ada.beside.opensPeople();
    const all = [ada, bob, cy].map(({ handle }) => handle).sort();
    await eventually(async () => (await ada.beside.people('In this conversation')).sort(), all);
    await ada.beside.does('Mention', cy);
    await ada.page.keyboard.type('come');
    await eventually(() => ada.talk.composer.inputValue(), `@${cy.handle} come`);

    // Where the pane lies over what is written it goes.
    await ada.page.setViewportSize({ width: 900, height: 700 });
    await ada.beside.does('Mention', bob);
    await ada.page.keyboard.type('too');
    await eventually(() => ada.talk.composer.inputValue(), `@${cy.handle} come @${bob.handle} too`);
    await ada.beside.pane.waitFor({ state: 'detached' });

    // Of two that followed each other the second leads back to where the first was opened.
    await ada.page.setViewportSize({ width: 1280, height: 720 });
    await ada.beside.opensPeople();
    await ada.beside.does('Profile', bob);
    await ada.beside.pane.getByText(`@${bob.handle}`).waitFor();
    await ada.page.keyboard.press('Escape');
    await ada.beside.pane.waitFor({ state: 'detached' });
    const opener = ada.talk.head.getByRole('button', { name: /show who/ });
    await hasFocus(opener);

    // Nor is the focus taken from who writes beside it.
    await ada.beside.opensPeople();
    await ada.talk.composer.fill('Well');
    await ada.page.keyboard.press('Escape');
    await ada.beside.pane.waitFor({ state: 'detached' });
    await ada.page.keyboard.type(', come');
    await eventually(() => ada.talk.composer.inputValue(), 'Well, come');
  });
});

describe('the directory of rooms', () => {
  story('is_searched_paged_and_joined_from_and_says_what_is_archived', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
    const word = `w${randomBytes(3).toString('hex')}`;
    const api = await Api.of(ada, inject('natterUrl'));
    const rooms: string[] = [];
    for (let n = 10; n < 32; n += 1) {
      const topic = n === 31 ? 'Only of looms' : 'Something else';
      const fields = { name: `${word} ${n}`, topic, visibility: 'public' };
      rooms.push(String((await api.command('POST', '/api/rooms', fields)).conversation));
    }
    await api.command('DELETE', `/api/rooms/${rooms[0]}`);
    // Her row is read with the room in it; what he looks for need not have come that far.
    await ada.list.row(`${word} 31`).waitFor();

    const { page } = bob;
    await page.getByRole('link', { name: 'Find rooms' }).click();
    const shown = () => page.getByRole('list', { name: 'Rooms' }).getByRole('listitem').count();
    await page.getByRole('searchbox', { name: 'Name or topic' }).fill(`${word} loom`);
    await eventually(shown, 1);
    await page.getByText('1 member', { exact: true }).waitFor();
    // From one to twenty: not those that were there before anything was looked for.
    await page.getByRole('searchbox', { name: 'Name or topic' }).fill(word);
    await page.getByText('The first 20 rooms').waitFor();
    await eventually(shown, 20);
    await page.getByRole('button', { name: 'More rooms' }).press('Enter');
    await eventually(shown, 21);

    await page.getByRole('checkbox', { name: 'Archived rooms' }).check();
    await page.getByText(`${word} 10`).waitFor();
    await eventually(shown, 1);
    expect(await page.getByRole('button', { name: `Join ${word} 10` }).count()).toBe(0);
    await page.getByRole('checkbox', { name: 'Archived rooms' }).uncheck();
    await page.getByRole('button', { name: `Join ${word} 11` }).click();
    await bob.talk.head.getByRole('heading', { name: `${word} 11` }).waitFor();
    await bob.talk.head.getByRole('button', { name: '2 people' }).waitFor();
  });

  story('a_room_is_made_with_a_topic_and_people_and_says_who_could_not_come', async ({ arrive }) => {
    const [ada, bob, cy] = await Promise.all([arrive('ada'), arrive('bob'), arrive('cy')]);
    await Promise.all([ada.account.register('Ada'), bob.account.register('Bob'), cy.account.register('Cy')]);
    const api = await Api.of(cy, inject('natterUrl'));
    await api.command('PUT', `/api/blocks/${ada.handle}`);
    const name = roomName();
    await ada.page.getByRole('button', { name: 'Make a room' }).click();
    const dialog = ada.page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill(name);
    await dialog.getByRole('textbox', { name: /Topic/ }).fill('What they weave');
    await dialog.getByRole('radio', { name: 'Private' }).check();
    await ada.list.chooses(bob, cy);
    await dialog.getByRole('button', { name: 'Make it' }).click();
    await ada.talk.head.getByText('What they weave').waitFor();
    await ada.seesProblem(`Not added: @${cy.handle}.`);
    await bob.list.row(name).getByText('Private room').waitFor({ state: 'attached' });
    expect(await cy.list.row(name).count()).toBe(0);
  });
});
