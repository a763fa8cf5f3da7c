import { randomBytes } from 'node:crypto';
import { afterAll, inject } from 'vitest';
import { Api } from '../stage/api.ts';
import { scene } from '../stage/scene.ts';
import { closeBrowser } from '../stage/story.ts';

afterAll(closeBrowser);

scene('beside', async ({ arrive, star, show }) => {
  const [ada, bob, cy] = await Promise.all([star('ada'), arrive('bob'), arrive('cy')]);
  const names = ['Ada Lovelace', 'Bob', 'Cyrus'];
  await Promise.all([ada, bob, cy].map((person, n) => person.account.register(names[n])));
  const lobby = `Lobby ${randomBytes(3).toString('hex')}`;
  await ada.room.makes(lobby);
  const room = ada.room.id;
  await Promise.all([bob.room.joins(lobby), cy.room.joins(lobby)]);
  const [asAda, asBob, asCy] = await Promise.all(
    [ada, bob, cy].map((person) => Api.of(person, inject('natterUrl'))),
  );
  const to = { conversation: room };
  const says = async (api: Api | undefined, text: string, more = {}) =>
    Number((await api?.command('POST', '/api/messages', { to, text, ...more }))?.seq);

  await ada.beside.opens('Threads');
  await ada.beside.pane.getByText('No threads yet').waitFor();
  await show(ada, 'no-threads');
  const cards = await says(asBob, 'Who has the **cards** of the analytical engine? They were in the drawer.');
  await says(asCy, 'Not me. Bob had them when we looked at the loom.', { thread: cards });
  const last = await says(asBob, 'I gave them to whoever was there last.', { thread: cards });
  await says(asCy, 'That was the man who tunes the loom.', { thread: cards, reply_to: last });
  const when = await says(asCy, `When do we meet, @${ada.handle}?`);
  await says(asBob, 'On Thursday, in the mill.', { thread: when });
  const rule = await says(asAda, 'Cards go back into the drawer. ||It is the left one.||');
  for (const seq of [rule, cards])
    await asAda?.command('PUT', `/api/conversations/${room}/messages/${seq}/pin`);
  await ada.beside.listed('Threads', `When do we meet, @${ada.handle}?`).waitFor();
  await show(ada, 'threads');

  await ada.beside.listed('Threads', `When do we meet, @${ada.handle}?`).getByRole('link').press('Enter');
  await ada.beside.thread.seesTexts(['On Thursday, in the mill.']);
  await ada.page.evaluate((hash) => {
    location.hash = hash;
  }, `#/room/${room}/thread/${cards}`);
  await ada.beside.thread.lines.nth(2).waitFor();
  await ada.beside.thread.write('Then I will ask him.');
  await ada.beside.thread.seesMark('Sent');
  await show(ada, 'thread');
  await ada.beside.closes();
  await ada.beside.pins.waitFor();
  await show(ada, 'pins-bar');
  await ada.beside.pins.press('Enter');
  await ada.beside.pane.getByText('Pinned by').first().waitFor();
  await show(ada, 'pins');

  await ada.beside.closes();
  await ada.beside.opens('Search');
  await ada.beside.looksFor('loom drawer');
  await ada.beside.pane.getByText('Nothing found').waitFor();
  await ada.beside.pane.getByRole('button', { name: 'Who and when' }).press('Enter');
  await show(ada, 'search-none');
  await ada.beside.looksFor('loom');
  await ada.beside.pane.locator('.listed').nth(1).waitFor();
  await ada.beside.pane.getByLabel('Search everywhere').check();
  await ada.beside.pane.locator('.listed-where').first().waitFor();
  await show(ada, 'search');
});
