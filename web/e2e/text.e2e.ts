import { afterAll, describe, expect } from 'vitest';
import { eventually } from './stage/eventually.ts';
import { hasFocus } from './stage/focus.ts';
import type { Person } from './stage/person.ts';
import { type Arrive, closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

const CLIPBOARD = { permissions: ['clipboard-read', 'clipboard-write'] };

/** Ada and Bob, with their conversation open. */
async function adaAndBob(arrive: Arrive): Promise<[Person, Person]> {
  const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob', undefined, CLIPBOARD)]);
  await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
  await ada.list.talkTo(bob);
  await ada.talk.write('Hello');
  await bob.list.open('Ada Lovelace');
  await bob.talk.seesTexts(['Hello']);
  return [ada, bob];
}

const newest = (person: Person) => person.talk.lines.last().locator('.text');

describe('what a message looks like', () => {
  story('what_is_written_in_markdown_is_drawn_for_everybody', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    await ada.talk.write(
      '**bold** *italic* ~~gone~~ `co*d*e`\nnext line\n\n- milk\n- bread\n  1. rye\n\n> as **you** said\nyes\n# Loud',
    );
    for (const person of [ada, bob]) {
      const text = newest(person);
      await text.locator('strong', { hasText: 'bold' }).waitFor();
      expect(await text.locator('em').allTextContents()).toEqual(['italic']);
      expect(await text.locator('s').allTextContents()).toEqual(['gone']);
      expect(await text.locator('code').allTextContents()).toEqual(['co*d*e']);
      expect(await text.locator('p').first().textContent()).toBe('bold italic gone co*d*e\nnext line');
      expect(await text.getByRole('listitem').count()).toBe(3);
      expect(await text.locator('ol > li').allTextContents()).toEqual(['rye']);
      expect(await text.locator('blockquote').allTextContents()).toEqual(['as you said']);
      // A message is no chapter of the page.
      expect(await text.getByRole('heading').count()).toBe(0);
    }
    await bob.talk.close();
    await bob.list
      .row('Ada Lovelace')
      .getByText('bold italic gone co*d*e next line • milk • bread 1. rye “as you said” yes Loud')
      .waitFor();
  });

  story('links_open_in_a_tab_that_learns_nothing_and_ours_open_here', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    const { context, page } = bob;
    await context.route('https://docs.example/**', (route) => route.fulfill({ body: '<h1>Docs</h1>' }));
    await ada.talk.write('Read [the docs](https://docs.example/a?b=1) first');
    const [docs] = await Promise.all([
      context.waitForEvent('page'),
      newest(bob).getByRole('link', { name: 'the docs' }).click(),
    ]);
    await docs.getByRole('heading', { name: 'Docs' }).waitFor();
    expect(docs.url()).toBe('https://docs.example/a?b=1');
    expect(await docs.evaluate(() => [window.opener, document.referrer])).toEqual([null, '']);
    await docs.close();

    const hall = `Hall of ${ada.handle}`;
    await ada.room.makes(hall);
    const room = page.url().replace(/#.*$/, `#/room/${ada.room.id}`);
    await ada.list.open('Bob');
    await ada.talk.write(`Come to ${room}`);
    const pages = context.pages().length;
    await page.evaluate(() => document.body.setAttribute('data-same', 'page'));
    // He is not in it: that is the answer.
    bob.expectsFault(/^answer: 403 to GET \/history\/conversations\//);
    await newest(bob).getByRole('link', { name: room }).click();
    await eventually(async () => page.url(), room);
    expect(context.pages().length).toBe(pages);
    expect(await page.locator('body').getAttribute('data-same')).toBe('page');
    await page.getByRole('button', { name: `Join ${hall}` }).click();
    await bob.talk.head.getByRole('heading', { name: hall }).waitFor();
    await bob.talk.write('Here I am');
  });

  story('a_link_that_reads_like_another_address_says_where_it_leads', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    await ada.talk.write('[https://bank.example/login](https://evil.example/x)');
    await newest(bob)
      .getByRole('link', { name: 'https://bank.example/login (evil.example)', exact: true })
      .waitFor();
    await ada.talk.write('https://bank.example@evil.example/x');
    await newest(bob).getByText('(evil.example)').waitFor();
    await ada.talk.write('https://gооgle.com');
    await newest(bob).getByText('(xn--ggle-55da.com)').waitFor();
    await ada.talk.write('[the docs](https://docs.example)');
    await newest(bob).getByRole('link', { name: 'the docs', exact: true }).waitFor();
  });

  story('signs_that_turn_the_direction_deceive_nobody', async ({ arrive }) => {
    const mallory = await arrive('mallory');
    const bob = await arrive('bob');
    await Promise.all([mallory.account.register('Mal\u202eyrol\u2066'), bob.account.register('Bob')]);
    await mallory.list.talkTo(bob);
    await mallory.talk.write('see \u202egpj.exe and `x\u202ey`');
    await bob.list.open('Malyrol');
    await bob.talk.seesTexts(['see gpj.exe and x[U+202E]y']);
    await bob.talk.head.getByRole('heading', { name: 'Malyrol' }).waitFor();
    const turning = /[\u061c\u200e\u200f\u202a-\u202e\u2066\u2067]/;
    expect(await bob.page.locator('body').textContent()).not.toMatch(turning);
    expect(await bob.page.title()).not.toMatch(turning);
    await bob.beside.opensProfile();
    await bob.beside.pane.getByRole('button', { name: 'Block Malyrol' }).waitFor();
    const labels = await bob.page
      .locator('[aria-label], [title]')
      .evaluateAll((all) =>
        all.map((one) => `${one.getAttribute('aria-label')} ${one.getAttribute('title')}`),
      );
    expect(labels.join('\n')).not.toMatch(turning);
  });

  story('a_spoiler_is_nowhere_until_it_is_asked_for', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    await ada.talk.write('It was ||the **butler**||!');
    const spoiler = newest(bob).getByRole('button', { name: 'Spoiler, show' });
    await spoiler.waitFor();
    await ada.message.line('It was Spoiler!').waitFor({ state: 'attached' });
    await bob.list.row('Ada Lovelace').getByText('It was ▇▇▇!').waitFor();
    expect(await bob.page.locator('body').innerHTML()).not.toContain('butler');
    await spoiler.press('Enter');
    await newest(bob).locator('strong', { hasText: 'butler' }).waitFor();
    const hide = newest(bob).getByRole('button', { name: 'Spoiler, hide', expanded: true });
    await hasFocus(hide);
    await hide.click();
    await newest(bob).getByText('butler').waitFor({ state: 'detached' });
  });

  story('who_is_mentioned_stands_out_and_oneself_more', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    await ada.talk.write(`@${bob.handle} and @nobody-at-all, \`@${bob.handle}\``);
    const mention = newest(bob).locator('.mention');
    await eventually(() => mention.allTextContents(), [`@${bob.handle}`]);
    expect(await mention.getAttribute('class')).toContain('mention-me');
    // Whoever sent it sees the same, at once and when it is read again.
    const mine = async () => [
      await newest(ada).locator('.mention').allTextContents(),
      await newest(ada).locator('.mention').first().getAttribute('title'),
      await newest(ada).locator('.mention-me').count(),
    ];
    await eventually(mine, [[`@${bob.handle}`], 'Bob', 0]);
    await ada.page.reload();
    await eventually(mine, [[`@${bob.handle}`], 'Bob', 0]);
  });
});

describe('code', () => {
  const LINES = Array.from(
    { length: 120 },
    (_, n) => `const n${n} = "${n}"; // ${'far '.repeat(n === 0 ? 99 : n % 20)}`,
  );
  const BLOCK = `\`\`\`js\n${LINES.join('\n')}\n\`\`\``;

  story('is_coloured_copied_and_shown_in_full_when_it_is_asked_for', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    await ada.talk.write(BLOCK);
    const text = newest(bob);
    await text.locator('.hljs-keyword', { hasText: 'const' }).first().waitFor();
    expect(await text.locator('code').textContent()).toBe(LINES.join('\n'));
    await text.getByRole('button', { name: 'Copy' }).click();
    await text.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await bob.page.evaluate(() => navigator.clipboard.readText())).toBe(LINES.join('\n'));

    const sheet = text.getByRole('region', { name: 'Code, js' });
    const height = () => sheet.evaluate((box) => box.clientHeight);
    const cut = await height();
    await text.getByRole('button', { name: 'Show all 120 lines' }).press('Enter');
    await eventually(async () => (await height()) > 3 * cut, true);
    await text.getByRole('button', { name: 'Show fewer lines', expanded: true }).click();
    await eventually(height, cut);
    // It scrolls by itself, by the keyboard, too; the page does not.
    await sheet.focus();
    await bob.page.keyboard.press('ArrowRight');
    await eventually(() => sheet.evaluate((box) => box.scrollLeft > 0), true);
    expect(
      await bob.page.evaluate(
        () => document.documentElement.scrollWidth <= document.documentElement.clientWidth,
      ),
    ).toBe(true);
  });

  story('is_plain_where_the_colours_cannot_be_loaded', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    bob.expectsFault(/highlight-/);
    await bob.context.route('**/highlight-*.js', (route) => route.abort());
    const asked = bob.page.waitForEvent('requestfailed', (request) => request.url().includes('highlight-'));
    await ada.talk.write('```rust\nfn main() {}\n```');
    await asked;
    await newest(bob).getByText('fn main() {}').waitFor();
    expect(await newest(bob).locator('[class^=hljs]').count()).toBe(0);
    await newest(ada).locator('.hljs-keyword', { hasText: 'fn' }).waitFor();
  });
});
