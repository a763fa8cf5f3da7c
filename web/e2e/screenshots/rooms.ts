import { randomBytes } from 'node:crypto';
import { afterAll, inject } from 'vitest';
import { Api } from '../stage/api.ts';
import { LONG_WORD } from '../stage/long.ts';
import { scene } from '../stage/scene.ts';
import { closeBrowser } from '../stage/story.ts';

afterAll(closeBrowser);

/** Rooms are found by everybody: each scene has names of its own. */
const named = (name: string) => `${name} ${randomBytes(3).toString('hex')}`;

scene('finder', async ({ arrive, star, show }) => {
  const [ada, bob] = await Promise.all([star('ada'), arrive('bob')]);
  await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
  const [lobby, long] = [named('Lobby'), named(LONG_WORD.slice(0, 70))];
  await ada.page.getByRole('link', { name: 'Find rooms' }).click();
  await ada.page.getByRole('button', { name: 'New room' }).first().click();
  await ada.page.getByRole('dialog').getByRole('textbox', { name: 'Name', exact: true }).fill(lobby);
  await show(ada, 'new-room');
  await ada.page.keyboard.press('Escape');
  await bob.room.makes(lobby);
  const api = await Api.of(bob, inject('natterUrl'));
  await api.command('PATCH', `/api/rooms/${bob.room.id}`, { topic: 'Engines, looms and what they weave' });
  const link = `#/room/${bob.room.id}`;
  await bob.room.makes(long);
  ada.expectsFault(/^answer: 403 to GET \/history\/conversations\//);
  await ada.page.evaluate((to) => {
    location.hash = to;
  }, link);
  await ada.page.getByRole('button', { name: `Join ${lobby}` }).waitFor();
  await show(ada, 'outside');
  await ada.page.getByRole('link', { name: 'Back to conversations' }).click();
  await ada.page.getByRole('link', { name: 'Find rooms' }).click();
  await ada.page.getByRole('button', { name: `Join ${long}` }).waitFor();
  await show(ada, 'found');
  await ada.page.getByRole('button', { name: `Join ${long}` }).click();
  await ada.talk.composer.waitFor();
  await show(ada, 'long-name');
});

scene('talk', async ({ arrive, star, show }) => {
  const [ada, bob] = await Promise.all([star('ada'), arrive('bob')]);
  await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
  const lobby = named('Lobby');
  await bob.room.makes(lobby);
  await ada.room.joins(lobby);
  await bob.talk.write('Welcome');
  await ada.talk.seesTexts(['Welcome']);
  await ada.talk.write('Thank you, I have something to show');

  const room = bob.room.id;
  const api = await Api.of(bob, inject('natterUrl'));
  const to = { conversation: room };
  const { seq } = await api.command('POST', '/api/messages', { to, text: 'What does it weave?' });
  for (const text of ['Flowers', 'Leaves'])
    await api.command('POST', '/api/messages', { to, text, thread: seq });
  const text = `Show us then, @${ada.handle}, and bring the cards that the others asked for.`;
  await api.command('POST', '/api/messages', { to, text, reply_to: seq });
  await ada.message.line(text).waitFor();
  await api.command('PATCH', `/api/rooms/${room}`, { name: `${lobby} II` });
  await ada.room.notices.getByText('renamed').waitFor();
  await show(ada, 'room');
  await ada.beside.opensPeople();
  await ada.beside.member(bob).waitFor();
  await show(ada, 'people');
  await bob.beside.opensPeople();
  await bob.beside.member(ada).getByRole('button', { name: 'What you can do with' }).click();
  await show(bob, 'member-menu');
  await bob.page.keyboard.press('Escape');
  await ada.beside.closes();
  await ada.beside.opensDetails();
  await show(ada, 'details');
  await bob.beside.closes();
  await bob.beside.opensDetails();
  await show(bob, 'settings');
  await ada.beside.pane.getByRole('button', { name: 'Leave' }).click();
  await ada.page.getByRole('button', { name: 'Stay' }).waitFor();
  await show(ada, 'leave');
  await ada.page.getByRole('button', { name: 'Stay' }).click();
  await ada.beside.closes();
  await api.command('DELETE', `/api/rooms/${room}`);
  await ada.page.getByText('This room is archived').waitFor();
  await show(ada, 'archived');
  await api.command('DELETE', `/api/rooms/${room}/members/${ada.handle}`);
  await ada.page.getByText('Bob removed you').waitFor();
  await show(ada, 'removed');
});

scene('blocks', async ({ arrive, star, show }) => {
  const [ada, bob] = await Promise.all([star('ada'), arrive('bob')]);
  await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
  const lobby = named('Lobby');
  await bob.room.makes(lobby);
  await ada.room.joins(lobby);
  const api = await Api.of(ada, inject('natterUrl'));
  await api.command('PUT', `/api/blocks/${bob.handle}`);
  await bob.talk.write('Good morning');
  await ada.room.notices.getByText('Bob, whom you have blocked, said something.').waitFor();
  await show(ada, 'folded');
});
