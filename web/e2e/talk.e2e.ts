import { afterAll, describe, expect } from 'vitest';
import { eventually } from './stage/eventually.ts';
import { Natter } from './stage/natter.ts';
import type { Person } from './stage/person.ts';
import { type Arrive, closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

async function adaAndBob(arrive: Arrive): Promise<[Person, Person]> {
  const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
  await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
  return [ada, bob];
}

describe('two people talk', () => {
  story('evt1_both_see_every_line_live_and_in_one_order', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    await ada.list.talkTo(bob);
    await ada.talk.write('Hello Bob');
    await bob.list.open('Ada Lovelace');
    await bob.talk.seesTexts(['Hello Bob']);
    await bob.talk.write('Hello Ada');
    await ada.talk.seesTexts(['Hello Bob', 'Hello Ada']);
    // At the same time: who was first is the log's to say, and it says the same to both.
    await Promise.all([ada.talk.write('one'), bob.talk.write('two')]);
    await eventually(async () => (await ada.talk.texts()).length, 4);
    await bob.talk.seesTexts(await ada.talk.texts());
    await ada.page.reload();
    await ada.talk.seesTexts(await bob.talk.texts());
  });

  story('hrt6_ticks_say_sent_then_delivered_then_read', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    await bob.page.goto('about:blank');
    await ada.list.talkTo(bob);
    await ada.talk.write('Are you there?');
    await ada.talk.seesMark('Sent');
    await bob.page.goBack();
    await ada.talk.seesMark('Delivered');
    await bob.list.open('Ada Lovelace');
    await ada.talk.seesMark('Read');
  });

  story('hst3_unread_is_counted_until_it_is_read_also_after_a_reload', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    await ada.list.talkTo(bob);
    for (const text of ['1', '2', '3']) await ada.talk.write(text);
    const badge = bob.list.row('Ada Lovelace').locator('.badge');
    await eventually(() => badge.textContent(), '3 unread');
    await eventually(() => bob.page.title(), '(3) Natter');
    await bob.page.reload();
    await eventually(() => badge.textContent(), '3 unread');
    await bob.list.open('Ada Lovelace');
    await badge.waitFor({ state: 'detached' });
    await ada.talk.seesMark('Read');
    await bob.page.reload();
    await bob.talk.seesTexts(['1', '2', '3']);
    await eventually(() => bob.page.title(), 'Natter');
    await bob.talk.close();
    await bob.list.row('Ada Lovelace').waitFor();
    expect(await badge.count()).toBe(0);
  });

  story('evt4_typing_and_presence_show_and_go', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    await ada.list.talkTo(bob);
    await ada.talk.write('Hi');
    await ada.talk.head.getByText('Online').waitFor();
    await bob.list.open('Ada Lovelace');
    await bob.talk.composer.pressSequentially('Well');
    await ada.talk.typing.getByText('Bob is typing…').waitFor();
    await bob.talk.composer.press('Enter');
    await ada.talk.seesTexts(['Hi', 'Well']);
    await eventually(() => ada.talk.typing.textContent(), '');
    await bob.page.goto('about:blank');
    await ada.talk.head.getByText('Last seen just now').waitFor();
    await bob.page.goBack();
    await ada.talk.head.getByText('Online').waitFor();
  });

  story('cmd4_what_looks_like_html_is_text', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    const texts = [
      '<img src=x onerror="alert(1)"><script>alert(2)</script>',
      '</textarea><svg/onload=alert(3)>',
      'javascript:alert(4) &lt;b&gt; {{alert(5)}}',
      '[press](javascript:alert(6)) <javascript:alert(7)> [here](data:text/html,<script>alert(8)</script>)',
      '<a href="//example" onclick="alert(9)">a</a><style>*{display:none}</style>',
      'line one\nline two\n\tindented',
      'שלום 👩‍👩‍👧 evil',
    ];
    await ada.list.talkTo(bob);
    for (const text of texts) await ada.talk.write(text);
    await ada.talk.seesTexts(texts);
    await bob.list.row('Ada Lovelace').getByText('evil').waitFor();
    await bob.list.open('Ada Lovelace');
    await bob.talk.seesTexts(texts);
    // Paragraphs of ours, and nothing in them. What would have run would have been complained about by the browser.
    for (const person of [ada, bob]) expect(await person.page.locator('.text *:not(p)').count()).toBe(0);
  });

  story('cmd5_more_than_the_rate_allows_arrives_later_in_order', async ({ arrive, door, onTestFinished }) => {
    // Ten at once and then one every four seconds: a slow machine is not slower than that.
    const natter = await Natter.start('slow', ['--rate-window', '40s']);
    onTestFinished(() => natter.end());
    const cable = await door(natter.url);
    const [ada, bob] = await Promise.all([arrive('ada', cable.url), arrive('bob', natter.url)]);
    await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
    await ada.list.talkTo(bob);
    // Written offline, so that they all leave at once.
    await ada.goOffline(cable);
    const texts = Array.from({ length: 12 }, (_, n) => `line ${n + 1}`);
    for (const text of texts) await ada.talk.write(text);
    await ada.comeBack(cable);
    await ada.seesBanner('Sending slowly');
    await bob.list.open('Ada Lovelace');
    await bob.talk.seesTexts(texts);
    await ada.talk.seesTexts(texts);
    await ada.seesNoBanner();
  });

  story('a_display_name_with_markup_is_text', async ({ arrive }) => {
    const [mallory, bob] = await Promise.all([arrive('mallory'), arrive('bob')]);
    const name = '<b onmouseover=alert(1)>M</b>';
    await Promise.all([mallory.account.register(name), bob.account.register('Bob')]);
    await mallory.list.talkTo(bob);
    await mallory.talk.write('hi');
    await bob.list.open(name);
    await bob.talk.head.getByRole('heading', { name }).waitFor();
  });
});
