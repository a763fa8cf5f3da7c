import { randomBytes } from 'node:crypto';
import { afterAll, describe, inject } from 'vitest';
import { Api } from './stage/api.ts';
import { eventually } from './stage/eventually.ts';
import { hasFocus } from './stage/focus.ts';
import { closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

/** Rooms are found by everybody: each story has a name of its own. */
const roomName = () => `Engines ${randomBytes(3).toString('hex')}`;

describe('rooms', () => {
  story('evt3_a_room_is_made_found_joined_talked_in_and_left', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
    const name = roomName();
    await ada.room.makes(name);
    await ada.talk.head.getByText('Public room').waitFor();
    await ada.list.row(name).getByText('Public room').waitFor({ state: 'attached' });

    await bob.room.joins(name);
    await ada.room.notices.getByText('Bob joined.').waitFor();
    await ada.talk.write('Welcome');
    await bob.talk.seesTexts(['Welcome']);
    await bob.talk.lines.locator('.author').getByText('Ada Lovelace').waitFor();
    await bob.talk.write('Thanks');
    await ada.talk.seesTexts(['Welcome', 'Thanks']);
    // How far others have come is nobody's to know in a room.
    await bob.talk.seesMark('Sent');

    // Elsewhere, one sees that something was said, and whether one is meant.
    await bob.talk.close();
    await ada.talk.write('Has anybody seen the cards?');
    await ada.talk.write(`Have you, @${bob.handle}?`);
    await bob.list.row(name).getByText('@1 mention of you').waitFor();
    await bob.list.row(name).getByText('2 unread').waitFor();
    await bob.page.reload();
    await bob.list.row(name).getByText('@1 mention of you').waitFor();
    await bob.list.open(name);
    await bob.list.row(name).locator('.badge').first().waitFor({ state: 'detached' });
    const said = ['Welcome', 'Thanks', 'Has anybody seen the cards?', `Have you, @${bob.handle}?`];
    await bob.talk.seesTexts(said);

    await Promise.all([ada.page.reload(), bob.page.reload()]);
    await Promise.all([ada, bob].map((person) => person.talk.seesTexts(said)));
    await bob.message.acts('Thanks', 'Edit');
    await bob.message.says('Thank you');
    await bob.message.acts('Welcome', 'React with heart');
    await ada.message.line('Thank you').waitFor();
    await ada.message.seesReactions('Welcome', ['❤️ 1: Bob']);
    await ada.message.acts('Welcome', 'Delete');
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await bob.talk.seesTexts(['Message deleted', 'Thank you', ...said.slice(2)]);

    // Something is in the way of what is asked when one has left.
    await bob.page.route('**/history/rooms/*', (route) => route.abort());
    await bob.room.leaves(name);
    await bob.page.getByText(`You left ${name}.`).waitFor();
    const again = bob.page.getByRole('main').getByRole('button', { name: 'Try again' });
    await again.waitFor();
    await bob.page.unroute('**/history/rooms/*');
    await again.press('Enter');
    await bob.list.row(name).waitFor({ state: 'detached' });
    await ada.room.notices.getByText('Bob left.').waitFor();
    // Whoever left by mistake is back with one press.
    await bob.page.getByRole('button', { name: `Join ${name}` }).click();
    await bob.talk.composer.waitFor();
    await bob.list.row(name).waitFor();
  });

  story('evt3_who_is_removed_hears_of_it_and_reads_no_more', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
    const name = roomName();
    await ada.room.makes(name, 'Private');
    const room = ada.room.id;
    const api = await Api.of(ada, inject('natterUrl'));

    // Added by somebody: it is there by itself, with what it is called.
    await api.command('PUT', `/api/rooms/${room}/members/${bob.handle}`);
    await bob.list.row(name).getByText('Private room').waitFor({ state: 'attached' });
    await bob.list.open(name);
    await ada.talk.write('For those who are here');
    await bob.talk.seesTexts(['For those who are here']);
    await api.command('PATCH', `/api/rooms/${room}`, { name: `${name} II` });
    await bob.talk.head.getByText(`${name} II`).waitFor();
    await bob.room.notices.getByText(`Ada Lovelace renamed the room to ${name} II.`).waitFor();

    const second = await bob.anotherTab();
    await second.list.row(`${name} II`).waitFor();
    await api.command('DELETE', `/api/rooms/${room}/members/${bob.handle}`);
    await bob.seesProblem(`Ada Lovelace removed you from ${name} II.`);
    await bob.talk.composer.waitFor({ state: 'detached' });
    // Whoever was writing there does not press shortcuts with the next letters.
    await hasFocus(bob.page.getByRole('main').getByRole('link', { name: 'Back to conversations' }));
    for (const page of [bob, second]) await page.list.row(name).waitFor({ state: 'detached' });
    await ada.room.notices.getByText('You removed Bob.').waitFor();

    // The page at its address says so, too, when it is opened anew.
    bob.expectsFault(/^answer: 40[34] to GET \/history\/conversations\//);
    await bob.page.reload();
    await bob.seesProblem('This conversation is not there, or you are not in it.');
    await bob.list.row(name).waitFor({ state: 'detached' });
    // A link may be quicker than what it leads to: it is asked for again, and answered.
    const asked = bob.page.waitForResponse(`**/history/conversations/${room}*`);
    await bob.page.getByRole('main').getByRole('button', { name: 'Try again' }).press('Enter');
    await asked;
    await bob.seesProblem('This conversation is not there, or you are not in it.');

    await api.command('PUT', `/api/rooms/${room}/members/${bob.handle}`);
    await bob.list.row(`${name} II`).waitFor();
    await bob.talk.composer.waitFor();
    await bob.talk.write('Here again');
    await ada.talk.seesTexts(['For those who are here', 'Here again']);
  });

  story(
    'evt3_what_was_written_offline_for_a_room_that_one_is_banned_from_is_not_lost',
    async ({ arrive, door }) => {
      const cable = await door();
      const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob', cable.url)]);
      await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
      // What was still to be asked when the network went is asked when it is back.
      bob.expectsFault(/^answer: 403 to GET \/history\/conversations\//);
      const name = roomName();
      await ada.room.makes(name);
      const room = ada.room.id;
      await bob.room.joins(name);
      await bob.goOffline(cable);
      await bob.talk.write('From a tunnel');
      const api = await Api.of(ada, inject('natterUrl'));
      await api.command('PUT', `/api/rooms/${room}/bans/${bob.handle}`);
      await bob.comeBack(cable);
      await bob.page.getByText(`Ada Lovelace banned you from ${name}.`).waitFor();
      await bob.page.getByRole('main').getByText('From a tunnel').waitFor();
      await bob.seesProblem('Not sent: You are not in this room.');

      // It is found still, and not joined.
      await bob.page.getByRole('link', { name: 'Find rooms' }).click();
      await bob.page.getByRole('searchbox', { name: 'Name or topic' }).fill(name);
      await bob.page.getByRole('button', { name: `Join ${name}` }).click();
      const fault = bob.page.getByRole('main').getByRole('alert').getByText(`${name} not joined:`);
      await fault.waitFor();
      await bob.page.getByRole('main').getByRole('button', { name: 'Discard' }).click();
      await fault.waitFor({ state: 'detached' });
    },
  );

  story(
    'evt1_threads_stand_beside_the_conversation_and_answers_show_what_they_answer',
    async ({ arrive }) => {
      const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
      await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
      const name = roomName();
      await ada.room.makes(name);
      const room = ada.room.id;
      await bob.room.joins(name);
      const api = await Api.of(ada, inject('natterUrl'));
      const to = { conversation: room };
      const { seq: first } = await api.command('POST', '/api/messages', { to, text: 'Who has the cards?' });
      await bob.talk.seesTexts(['Who has the cards?']);
      await bob.talk.close();

      // What is said in a thread is not to be read in the conversation.
      for (const text of ['Not me', 'Nor me'])
        await api.command('POST', '/api/messages', { to, text, thread: first });
      await api.command('POST', '/api/messages', { to, text: 'They are here', reply_to: first });
      await bob.list.row(name).getByText('1 unread').waitFor();
      await bob.list.open(name);
      const seen = async () => {
        await bob.talk.seesTexts(['Who has the cards?', 'They are here']);
        await bob.message.line('Who has the cards?').getByText('2 replies').waitFor();
        await bob.message
          .line('They are here')
          .locator('.answered')
          .getByText('Who has the cards?')
          .waitFor();
      };
      await seen();
      await bob.page.reload();
      await seen();
      await api.command('DELETE', `/api/conversations/${room}/messages/${first}`);
      await bob.message.line('They are here').locator('.answered').getByText('Message deleted').waitFor();

      await api.command('DELETE', `/api/rooms/${room}`);
      await bob.page.getByText('This room is archived').waitFor();
      await bob.talk.composer.waitFor({ state: 'detached' });
      await eventually(() => bob.talk.lines.getByRole('button', { name: 'Actions for' }).count(), 0);
      await bob.page.reload();
      await bob.page.getByText('This room is archived').waitFor();
    },
  );
});
