import { afterAll } from 'vitest';
import { scene } from '../stage/scene.ts';
import { closeBrowser } from '../stage/story.ts';

afterAll(closeBrowser);

const CODE = `\`\`\`rust
/// What was acknowledged is never lost.
fn weave(cards: &[Card], loom: &mut Loom) -> Result<Cloth, Torn> {
    let rows = cards.iter().map(|card| loom.row(card, "left to right, as far as it goes, and further than that"));
    rows.collect() // 42 of them
}
\`\`\``;

scene('all', async ({ arrive, star, show }) => {
  const [ada, bob] = await Promise.all([star('ada'), arrive('bob')]);
  await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
  await bob.list.talkTo(ada);
  const texts = [
    `**Bold**, *italics*, ~~struck~~, **~~*all of it*~~**, \`code\`, and @${ada.handle} is asked.`,
    '# Loud\n\n- cards\n- thread\n  1. red\n  2. blue\n\n> It weaves flowers\n> and leaves.\n>\n> > So it was said.',
    CODE,
    'A link that says where it goes: [the notes](https://notes.example/engine?page=12), https://notes.example/a/very/long/path/that/goes/on/and/on/until/nobody/reads/it/any/more and one that lies: [https://bank.example](https://thief.example)',
    '||The loom wins.|| and ||a **second** one||',
    'שלום, מה שלומך? Hello between. مرحبا بالعالم',
    'Twisted: \u202eevil\u202c name.exe',
    '🎉',
    'Line one\nline two\n\nand a paragraph.',
  ];
  for (const text of texts) await bob.talk.write(text);
  await ada.list.open('Bob');
  await ada.page.locator('.text-emoji').waitFor();
  await show(ada, 'end');
  await ada.page.getByRole('log').press('Home');
  await ada.page.getByRole('button', { name: 'Spoiler, show' }).first().click();
  await show(ada, 'spoiler');
});

scene('writing', async ({ arrive, star, show }) => {
  const [ada, bob] = await Promise.all([star('ada'), arrive('bob')]);
  await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob Ångström')]);
  await bob.list.talkTo(ada);
  await bob.talk.write('How was the mill?');
  await ada.list.open('Bob Ångström');
  await ada.page.getByRole('button', { name: 'Formatting' }).click();
  await ada.message.acts('How was the mill?', 'Reply');
  await ada.talk.composer.fill('**Loud**, and with a `card`.\nMore of it in a second line.');
  await ada.page.getByRole('toolbar', { name: 'Formatting' }).waitFor();
  await show(ada, 'reply');
  await ada.talk.composer.fill('');
  await ada.talk.composer.pressSequentially('So :roc');
  await ada.page.getByRole('listbox', { name: 'Suggestions' }).waitFor();
  await show(ada, 'suggestions');
  await ada.talk.composer.fill('');
  await ada.page.getByRole('button', { name: 'Emoji', exact: true }).click();
  const picker = ada.page.getByRole('dialog', { name: 'Pick an emoji' });
  await picker.getByRole('gridcell').first().waitFor();
  await show(ada, 'emoji');
  await picker.getByLabel('Search emoji').fill('party');
  await picker.getByRole('status').filter({ hasText: 'emoji found' }).waitFor();
  await show(ada, 'emoji-found');
});
