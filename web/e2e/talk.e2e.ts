import { afterAll, describe, expect } from 'vitest';
import { eventually } from './stage/eventually.ts';
import type { Person } from './stage/person.ts';
import { type Arrive, closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

async function adaAndBob(arrive: Arrive): Promise<[Person, Person]> {
  const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
  await Promise.all([ada.register('Ada Lovelace'), bob.register('Bob')]);
  return [ada, bob];
}

describe('two people talk', () => {
  story('evt1_both_see_every_line_live_and_in_one_order', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    await ada.talkTo(bob);
    await ada.write('Hello Bob');
    await bob.openFromList('Ada Lovelace');
    await bob.seesTexts(['Hello Bob']);
    await bob.write('Hello Ada');
    await ada.seesTexts(['Hello Bob', 'Hello Ada']);
    // At the same time: who was first is the log's to say, and it says the same to both.
    await Promise.all([ada.write('one'), bob.write('two')]);
    await eventually(async () => (await ada.texts()).length, 4);
    await bob.seesTexts(await ada.texts());
    await ada.page.reload();
    await ada.seesTexts(await bob.texts());
  });

  story('hrt6_ticks_say_sent_then_delivered_then_read', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    await bob.page.goto('about:blank');
    await ada.talkTo(bob);
    await ada.write('Are you there?');
    await ada.seesMark('Sent');
    await bob.page.goBack();
    await ada.seesMark('Delivered');
    await bob.openFromList('Ada Lovelace');
    await ada.seesMark('Read');
  });

  story('hst3_unread_is_counted_until_it_is_read_also_after_a_reload', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    await ada.talkTo(bob);
    for (const text of ['1', '2', '3']) await ada.write(text);
    const badge = bob.row('Ada Lovelace').locator('.badge');
    await eventually(() => badge.textContent(), '3 unread');
    await eventually(() => bob.page.title(), '(3) Natter');
    await bob.page.reload();
    await eventually(() => badge.textContent(), '3 unread');
    await bob.openFromList('Ada Lovelace');
    await badge.waitFor({ state: 'detached' });
    await ada.seesMark('Read');
    await bob.page.reload();
    await bob.seesTexts(['1', '2', '3']);
    await eventually(() => bob.page.title(), 'Natter');
    await bob.closeConversation();
    await bob.row('Ada Lovelace').waitFor();
    expect(await badge.count()).toBe(0);
  });

  story('evt4_typing_and_presence_show_and_go', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    await ada.talkTo(bob);
    await ada.write('Hi');
    await ada.head.getByText('Online').waitFor();
    await bob.openFromList('Ada Lovelace');
    await bob.composer.pressSequentially('Well');
    await ada.typing.getByText('Bob is typing…').waitFor();
    await bob.composer.press('Enter');
    await ada.seesTexts(['Hi', 'Well']);
    await eventually(() => ada.typing.textContent(), '');
    await bob.page.goto('about:blank');
    await ada.head.getByText('Last seen just now').waitFor();
    await bob.page.goBack();
    await ada.head.getByText('Online').waitFor();
  });

  story('cmd4_what_looks_like_markup_is_text', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    const texts = [
      '<img src=x onerror="alert(1)"><script>alert(2)</script>',
      '</textarea><svg/onload=alert(3)>',
      'javascript:alert(4) &lt;b&gt; {{alert(5)}}',
      'line one\nline two\n\tindented',
      'שלום 👩‍👩‍👧 \u202eevil',
    ];
    await ada.talkTo(bob);
    for (const text of texts) await ada.write(text);
    await ada.seesTexts(texts);
    await bob.row('Ada Lovelace').getByText('evil').waitFor();
    await bob.openFromList('Ada Lovelace');
    await bob.seesTexts(texts);
    expect(await bob.page.locator('.text *').count()).toBe(0);
  });

  story('cmd5_more_than_the_rate_allows_arrives_later_in_order', async ({ arrive, door }) => {
    const cable = await door();
    const [ada, bob] = await Promise.all([arrive('ada', cable.url), arrive('bob')]);
    await Promise.all([ada.register('Ada Lovelace'), bob.register('Bob')]);
    await ada.talkTo(bob);
    // Written offline, so that they all leave at once.
    await ada.goOffline(cable);
    const texts = Array.from({ length: 13 }, (_, n) => `line ${n + 1}`);
    for (const text of texts) await ada.write(text);
    await ada.comeBack(cable);
    await ada.seesBanner('Sending slowly');
    await bob.openFromList('Ada Lovelace');
    await bob.seesTexts(texts);
    await ada.seesTexts(texts);
    await ada.seesNoBanner();
  });

  story('a_display_name_with_markup_is_text', async ({ arrive }) => {
    const [mallory, bob] = await Promise.all([arrive('mallory'), arrive('bob')]);
    const name = '<b onmouseover=alert(1)>M</b>';
    await Promise.all([mallory.register(name), bob.register('Bob')]);
    await mallory.talkTo(bob);
    await mallory.write('hi');
    await bob.openFromList(name);
    await bob.head.getByRole('heading', { name, exact: true }).waitFor();
  });
});
