import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, inject } from 'vitest';
import { Api } from './stage/api.ts';
import { eventually } from './stage/eventually.ts';
import { hasFocus } from './stage/focus.ts';
import { closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

const roomName = () => `Looms ${randomBytes(3).toString('hex')}`;

describe('moderation', () => {
  story('an_owner_adds_and_promotes_a_moderator_removes_and_bans_and_takes_it_back', async ({ arrive }) => {
    const [ada, bob, cy, dan] = await Promise.all(['ada', 'bob', 'cy', 'dan'].map((name) => arrive(name)));
    if (ada === undefined || bob === undefined || cy === undefined || dan === undefined) return;
    await Promise.all([
      ...[ada.account.register('Ada'), bob.account.register('Bob')],
      ...[cy.account.register('Cy'), dan.account.register('Dan')],
    ]);
    const name = roomName();
    await ada.room.makes(name);
    await ada.beside.opensPeople();
    await ada.beside.adds(bob, cy, dan);
    await eventually(async () => (await ada.beside.people('Members')).length, 3);
    await ada.talk.head.getByRole('button', { name: '4 people' }).waitFor();

    // A moderator is offered what a moderator may, at once.
    await bob.list.open(name);
    await bob.beside.opensPeople();
    expect(await bob.beside.deedsOn(cy)).toEqual(['Profile', 'Message', 'Mention']);
    await ada.beside.does('Make moderator', bob);
    await eventually(() => bob.beside.people('Moderators'), [bob.handle]);
    await eventually(() => ada.beside.people('Moderators'), [bob.handle]);
    // The row went to another group, and the focus with it.
    const menu = ada.beside.member(bob).getByRole('button', { name: 'What you can do with' });
    await hasFocus(menu);
    const moderates = ['Profile', 'Message', 'Mention', 'Remove from the room', 'Ban from the room'];
    expect(await bob.beside.deedsOn(cy)).toEqual(moderates);
    expect(await bob.beside.deedsOn(ada)).toEqual(['Profile', 'Message', 'Mention']);

    // Removed: out, told so, and free to come back. What was just being asked is answered with that.
    cy.expectsFault(/^answer: 403 to GET \/history\/conversations\//);
    await cy.list.open(name);
    await bob.beside.does('Remove from the room', cy, 'Remove');
    await hasFocus(bob.beside.pane.getByRole('heading', { name: 'People', exact: true }));
    await cy.page.getByText(`Bob removed you from ${name}.`).waitFor();
    await eventually(() => ada.beside.people('Members'), [dan.handle]);
    await ada.talk.head.getByRole('button', { name: '3 people' }).waitFor();
    await cy.room.joins(name);
    await eventually(async () => (await ada.beside.people('Members')).includes(cy.handle), true);

    // Banned: out, told so, and kept out until it is taken back.
    dan.expectsFault(/^answer: 403 to GET \/history\/conversations\//);
    await dan.list.open(name);
    await bob.beside.does('Ban from the room', dan, 'Ban');
    await dan.page.getByText(`Bob banned you from ${name}.`).waitFor();
    await dan.page.getByRole('link', { name: 'Find rooms' }).click();
    await dan.page.getByRole('searchbox', { name: 'Name or topic' }).fill(name);
    await dan.page.getByRole('button', { name: `Join ${name}` }).click();
    await dan.seesProblem(/not joined/);
    await dan.page.getByRole('button', { name: 'Discard' }).first().click();

    await ada.beside.pane.getByRole('button', { name: 'Banned people' }).press('Enter');
    await eventually(() => ada.beside.people('Banned people'), [dan.handle]);
    await ada.beside.pane.getByRole('button', { name: 'Take back the ban of Dan' }).press('Enter');
    await eventually(() => ada.beside.people('Banned people'), []);
    await dan.room.joins(name);
    await eventually(async () => (await bob.beside.people('Members')).includes(dan.handle), true);
  });

  story('who_may_nothing_is_offered_nothing_and_the_server_refuses_what_is_forged', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
    const name = roomName();
    await ada.room.makes(name);
    await bob.room.joins(name);
    await bob.beside.opensPeople();
    await bob.beside.member(ada).waitFor();
    expect(await bob.beside.deedsOn(ada)).toEqual(['Profile', 'Message', 'Mention']);
    expect(await bob.beside.pane.getByRole('button', { name: 'Add people' }).count()).toBe(0);
    expect(await bob.beside.pane.getByRole('button', { name: 'Banned people' }).count()).toBe(0);
    await bob.beside.closes();
    await bob.beside.opensDetails();
    expect(await bob.beside.pane.getByRole('textbox').count()).toBe(0);
    expect(await bob.beside.pane.getByRole('button', { name: 'Archive this room' }).count()).toBe(0);

    const forged = await Api.of(bob, inject('natterUrl'));
    const remove = forged.command('DELETE', `/api/rooms/${bob.room.id}/members/${ada.handle}`);
    await expect(remove).rejects.toThrow(/403.*forbidden/);
    const promote = forged.command('PUT', `/api/rooms/${bob.room.id}/members/${bob.handle}/role`, {
      role: 'owner',
    });
    await expect(promote).rejects.toThrow(/403.*forbidden/);

    // The last owner can't go without another one, and is told what to do.
    await ada.room.leaves(name);
    await ada.seesProblem(/You are its last owner/);
    await ada.beside.pane.getByRole('button', { name: 'Discard' }).press('Enter');
    await ada.beside.pane.getByText(/You are its last owner/).waitFor({ state: 'detached' });
    await eventually(() => ada.page.evaluate(() => document.activeElement === document.body), false);
  });

  story('a_room_that_is_changed_or_archived_is_so_for_everybody_at_once', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
    const [name, later] = [roomName(), roomName()];
    await ada.room.makes(name);
    await bob.room.joins(name);
    await bob.beside.opensDetails();
    await ada.beside.opensDetails();
    await ada.beside.pane.getByRole('textbox', { name: 'Name' }).fill(later);
    // Pasted from a table: what can't be so stays, to be mended.
    const topic = ada.beside.pane.getByRole('textbox', { name: /Topic/ });
    await topic.fill('What they\tweave');
    await ada.beside.pane.getByRole('button', { name: 'Save' }).press('Enter');
    await ada.seesProblem('There is an invisible control character in this text. It has to go first.');
    await eventually(() => topic.inputValue(), 'What they\tweave');
    await topic.fill('What they weave');
    await ada.page.getByRole('alert').waitFor({ state: 'detached' });
    await ada.beside.pane.getByRole('button', { name: 'Save' }).press('Enter');
    await bob.beside.pane.getByRole('heading', { name: later }).waitFor();
    await bob.beside.pane.getByText('What they weave').waitFor();
    await bob.room.notices.getByText(`Ada renamed the room to ${later}.`).waitFor();

    await ada.beside.pane.getByRole('button', { name: 'Archive this room' }).press('Enter');
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Archive' }).press('Enter');
    await bob.page.getByText('This room is archived').waitFor();
    await bob.talk.composer.waitFor({ state: 'detached' });
    await ada.beside.pane.getByRole('button', { name: 'Open this room again' }).press('Enter');
    await bob.talk.composer.waitFor();
    await ada.beside.pane.getByRole('textbox', { name: 'Name' }).waitFor();
  });
});
