import { randomBytes } from 'node:crypto';
import { afterAll } from 'vitest';
import { LONG_NAME, LONG_WORD } from '../stage/long.ts';
import { scene } from '../stage/scene.ts';
import { closeBrowser } from '../stage/story.ts';

afterAll(closeBrowser);

scene('new', async ({ arrive, star, show }) => {
  const [ada, max] = await Promise.all([star('ada'), arrive('maximiliana-konstantinop')]);
  await Promise.all([ada.account.register('Ada Lovelace'), max.account.register(LONG_NAME)]);
  await ada.page.getByText('No conversations yet.').waitFor();
  await show(ada, 'empty');
  await ada.page.getByRole('button', { name: 'New conversation' }).click();
  const search = ada.page.getByRole('searchbox', { name: 'Find people' });
  await search.waitFor();
  await show(ada, 'new-conversation');
  await search.fill(max.handle);
  await ada.page.getByText(LONG_NAME).first().waitFor();
  await show(ada, 'new-conversation-found');
});

scene('rows', async ({ arrive, star, door, show }) => {
  const cable = await door();
  const [ada, bob, max] = await Promise.all([star('ada', cable.url), arrive('bob'), arrive('max')]);
  await Promise.all([
    ada.account.register('Ada Lovelace'),
    bob.account.register('Bob'),
    max.account.register(LONG_NAME),
  ]);
  const lobby = `Lobby ${randomBytes(3).toString('hex')}`;
  await bob.room.makes(lobby);
  await ada.room.joins(lobby);
  await ada.talk.close();
  await bob.talk.write(`Show us then, @${ada.handle}, and bring the cards that the others asked for.`);
  await max.list.talkTo(ada);
  await max.talk.write(`A long word: ${LONG_WORD}`);
  await bob.list.talkTo(ada);
  for (const text of ['Hi Ada', 'Did you see the notes on the analytical engine?'])
    await bob.talk.write(text);
  for (const name of ['Bob', lobby, LONG_NAME]) await ada.list.row(name).locator('.badge').first().waitFor();
  await show(ada, 'unread');
  await ada.list.open('Did you see the notes');
  await ada.talk.write('I did');
  await bob.talk.seesTexts(['Hi Ada', 'Did you see the notes on the analytical engine?', 'I did']);
  await ada.talk.close();
  await show(ada, 'read');
  await ada.list.open(LONG_NAME);
  await ada.goOffline(cable);
  await ada.talk.write('Written in a tunnel');
  await ada.talk.close();
  await show(ada, 'offline');
});

scene('kept', async ({ arrive, star, show }) => {
  const [ada, bob, max] = await Promise.all([star('ada'), arrive('bob'), arrive('max')]);
  await Promise.all([
    ada.account.register('Ada Lovelace'),
    bob.account.register('Bob'),
    max.account.register(LONG_NAME),
  ]);
  const lobby = `Lobby ${randomBytes(3).toString('hex')}`;
  await bob.room.makes(lobby);
  await ada.room.joins(lobby);
  await ada.talk.close();
  await max.list.talkTo(ada);
  await max.talk.write('Good morning');
  await bob.list.talkTo(ada);
  await bob.talk.write('Good morning');
  await ada.list.row('Bob').waitFor();
  await ada.list.does('Bob', 'Star');
  await ada.list.does(LONG_NAME, 'Mute');
  await ada.list.does(lobby, 'Hide until something is new');
  await ada.list.section('Starred').press('Enter');
  await ada.list.section('Hidden').press('Enter');
  await show(ada, 'sections');
  await ada.page.getByRole('button', { name: `Options of ${lobby}` }).press('Enter');
  await show(ada, 'menu');
  await ada.page.keyboard.press('Escape');
  await ada.list.filter.fill('a');
  await ada.list.row(LONG_NAME).waitFor();
  await ada.page.getByRole('heading', { name: 'More people' }).waitFor();
  await show(ada, 'search');
  await ada.list.filter.fill('');
  await ada.page.keyboard.press('Control+k');
  await ada.page.getByRole('option', { name: 'Bob' }).waitFor();
  await show(ada, 'switcher');
  await ada.page.keyboard.press('Escape');
  await ada.list.filter.blur();
  await ada.page.keyboard.press('?');
  await ada.page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  await show(ada, 'keys');
});

scene('german', async ({ arrive, star, show }) => {
  const [ada, bob] = await Promise.all([star('ada'), arrive('bob')]);
  await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
  await bob.list.talkTo(ada);
  await bob.talk.write('Guten Morgen');
  await ada.list.row('Bob').waitFor();
  await ada.page.evaluate(() => localStorage.setItem('natter:device', '{"language":"de"}'));
  await ada.page.reload();
  await ada.page.getByRole('button', { name: 'Optionen von Bob' }).press('Enter');
  await ada.page.getByRole('group', { name: 'Optionen von Bob' }).waitFor();
  await show(ada, 'menu');
  await ada.page.keyboard.press('Escape');
  await ada.page.keyboard.press('?');
  await ada.page.getByRole('dialog', { name: 'Tastenkürzel' }).waitFor();
  await show(ada, 'keys');
});
