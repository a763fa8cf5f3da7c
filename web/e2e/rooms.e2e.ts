import { randomBytes } from 'node:crypto';
import { afterAll, describe, inject } from 'vitest';
import { Api } from './stage/api.ts';
import { eventually } from './stage/eventually.ts';
import { closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

/** Rooms are found by everybody: each story has a name of its own. */
const roomName = () => `Engines ${randomBytes(3).toString('hex')}`;

describe('rooms', () => {
  story('evt3_a_room_is_made_found_joined_talked_in_and_left', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.register('Ada Lovelace'), bob.register('Bob')]);
    const name = roomName();
    await ada.makesRoom(name);
    await ada.head.getByText('Public room').waitFor();
    await ada.row(name).getByText('Public room').waitFor({ state: 'attached' });

    await bob.joinsRoom(name);
    await ada.notices.getByText('Bob joined.').waitFor();
    await ada.write('Welcome');
    await bob.seesTexts(['Welcome']);
    await bob.lines.locator('.author').getByText('Ada Lovelace').waitFor();
    await bob.write('Thanks');
    await ada.seesTexts(['Welcome', 'Thanks']);
    // How far others have come is nobody's to know in a room.
    await bob.seesMark('Sent');

    // Elsewhere, one sees that something was said, and whether one is meant.
    await bob.closeConversation();
    await ada.write('Has anybody seen the cards?');
    await ada.write(`Have you, @${bob.handle}?`);
    await bob.row(name).getByText('@1 mention of you').waitFor();
    await bob.row(name).getByText('2 unread').waitFor();
    await bob.page.reload();
    await bob.row(name).getByText('@1 mention of you').waitFor();
    await bob.openFromList(name);
    await bob.row(name).locator('.badge').first().waitFor({ state: 'detached' });
    const said = ['Welcome', 'Thanks', 'Has anybody seen the cards?', `Have you, @${bob.handle}?`];
    await bob.seesTexts(said);

    await Promise.all([ada.page.reload(), bob.page.reload()]);
    await Promise.all([ada, bob].map((person) => person.seesTexts(said)));
    await bob.acts('Thanks', 'Edit');
    await bob.says('Thank you');
    await bob.acts('Welcome', 'React with heart');
    await ada.line('Thank you').waitFor();
    await ada.seesReactions('Welcome', ['❤️ 1: Bob']);
    await ada.acts('Welcome', 'Delete');
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await bob.seesTexts(['Message deleted', 'Thank you', ...said.slice(2)]);

    await bob.head.getByRole('button', { name: `Leave ${name}` }).press('Enter');
    await bob.page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
    await bob.page.getByText(`You left ${name}.`).waitFor();
    await bob.row(name).waitFor({ state: 'detached' });
    await ada.notices.getByText('Bob left.').waitFor();
  });

  story('evt3_who_is_removed_hears_of_it_and_reads_no_more', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.register('Ada Lovelace'), bob.register('Bob')]);
    const name = roomName();
    await ada.makesRoom(name, 'Private');
    const room = ada.room;
    const api = await Api.of(ada, inject('natterUrl'));

    // Added by somebody: it is there by itself, with what it is called.
    await api.command('PUT', `/api/rooms/${room}/members/${bob.handle}`);
    await bob.row(name).getByText('Private room').waitFor({ state: 'attached' });
    await bob.openFromList(name);
    await ada.write('For those who are here');
    await bob.seesTexts(['For those who are here']);
    await api.command('PATCH', `/api/rooms/${room}`, { name: `${name} II` });
    await bob.head.getByText(`${name} II`).waitFor();
    await bob.notices.getByText(`Ada Lovelace renamed the room to ${name} II.`).waitFor();

    const second = await bob.anotherTab();
    await second.row(`${name} II`).waitFor();
    await api.command('DELETE', `/api/rooms/${room}/members/${bob.handle}`);
    await bob.page.getByText(`Ada Lovelace removed you from ${name} II.`).waitFor();
    await bob.composer.waitFor({ state: 'detached' });
    for (const page of [bob, second]) await page.row(name).waitFor({ state: 'detached' });
    await ada.notices.getByText('You removed Bob.').waitFor();

    // The page at its address says so, too, when it is opened anew.
    bob.expectsFault(/^answer: 40[34] to GET \/history\/conversations\//);
    await bob.page.reload();
    await bob.seesProblem('You are not in this room.');
    await bob.row(name).waitFor({ state: 'detached' });

    await api.command('PUT', `/api/rooms/${room}/members/${bob.handle}`);
    await bob.row(`${name} II`).waitFor();
    await bob.composer.waitFor();
    await bob.write('Here again');
    await ada.seesTexts(['For those who are here', 'Here again']);
  });

  story(
    'evt3_what_was_written_offline_for_a_room_that_one_is_banned_from_is_not_lost',
    async ({ arrive, door }) => {
      const cable = await door();
      const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob', cable.url)]);
      await Promise.all([ada.register('Ada Lovelace'), bob.register('Bob')]);
      const name = roomName();
      await ada.makesRoom(name);
      const room = ada.room;
      await bob.joinsRoom(name);
      await bob.goOffline(cable);
      await bob.write('From a tunnel');
      const api = await Api.of(ada, inject('natterUrl'));
      await api.command('PUT', `/api/rooms/${room}/bans/${bob.handle}`);
      await bob.comeBack(cable);
      await bob.page.getByText(`Ada Lovelace banned you from ${name}.`).waitFor();
      await bob.page.getByRole('main').getByText('From a tunnel').waitFor();
      await bob.seesProblem('Not sent: You are not in this room.');

      // It is found still, and not joined.
      await bob.page.getByRole('button', { name: 'Find rooms' }).click();
      await bob.page.getByRole('searchbox', { name: 'Name or topic' }).fill(name);
      await bob.page.getByRole('button', { name: `Join ${name}` }).click();
      const fault = bob.page.getByRole('dialog').getByRole('alert').getByText(`${name} not joined:`);
      await fault.waitFor();
      await bob.page.getByRole('dialog').getByRole('button', { name: 'Discard' }).click();
      await fault.waitFor({ state: 'detached' });
    },
  );

  story(
    'evt1_threads_stand_beside_the_conversation_and_answers_show_what_they_answer',
    async ({ arrive }) => {
      const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
      await Promise.all([ada.register('Ada Lovelace'), bob.register('Bob')]);
      const name = roomName();
      await ada.makesRoom(name);
      const room = ada.room;
      await bob.joinsRoom(name);
      const api = await Api.of(ada, inject('natterUrl'));
      const to = { conversation: room };
      const { seq: first } = await api.command('POST', '/api/messages', { to, text: 'Who has the cards?' });
      await bob.seesTexts(['Who has the cards?']);
      await bob.closeConversation();

      // What is said in a thread is not to be read in the conversation.
      for (const text of ['Not me', 'Nor me'])
        await api.command('POST', '/api/messages', { to, text, thread: first });
      await api.command('POST', '/api/messages', { to, text: 'They are here', reply_to: first });
      await bob.row(name).getByText('1 unread').waitFor();
      await bob.openFromList(name);
      const seen = async () => {
        await bob.seesTexts(['Who has the cards?', 'They are here']);
        await bob.line('Who has the cards?').getByText('2 replies').waitFor();
        await bob.line('They are here').locator('.answered').getByText('Who has the cards?').waitFor();
      };
      await seen();
      await bob.page.reload();
      await seen();
      await api.command('DELETE', `/api/conversations/${room}/messages/${first}`);
      await bob.line('They are here').locator('.answered').getByText('Message deleted').waitFor();

      await api.command('DELETE', `/api/rooms/${room}`);
      await bob.page.getByText('This room is archived').waitFor();
      await bob.composer.waitFor({ state: 'detached' });
      await eventually(() => bob.lines.getByRole('button', { name: 'Actions for' }).count(), 0);
      await bob.page.reload();
      await bob.page.getByText('This room is archived').waitFor();
    },
  );
});
