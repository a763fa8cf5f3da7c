import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject } from 'vitest';
import { Api } from './stage/api.ts';
import { eventually } from './stage/eventually.ts';
import { hasFocus } from './stage/focus.ts';
import { Natter } from './stage/natter.ts';
import type { Person } from './stage/person.ts';
import { closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

/** Rooms are found by everybody: each story has a name of its own. */
const roomName = () => `Looms ${randomBytes(3).toString('hex')}`;

describe('threads', () => {
  story('three_people_talk_about_a_message_beside_the_conversation', async ({ arrive }) => {
    const [ada, bob, cy] = await Promise.all([arrive('ada'), arrive('bob'), arrive('cy')]);
    const names = ['Ada Lovelace', 'Bob', 'Cy'];
    await Promise.all([ada, bob, cy].map((person, n) => person.account.register(names[n])));
    const name = roomName();
    await ada.room.makes(name);
    await Promise.all([bob.room.joins(name), cy.room.joins(name)]);
    await ada.talk.write('Who has the cards?');
    await ada.talk.write('And who the engine?');
    await bob.talk.seesTexts(['Who has the cards?', 'And who the engine?']);

    await bob.message.acts('Who has the cards?', 'Reply in thread');
    await bob.beside.thread.write('Not me');
    await bob.beside.thread.seesTexts(['Not me']);
    // Beside the conversation, and not in it.
    await bob.talk.seesTexts(['Who has the cards?', 'And who the engine?']);

    // Whoever began the thread sees that something is new in it; others only that there is one.
    await ada.message.replies('Who has the cards?', '1 reply').getByText('1 new').waitFor();
    await cy.message.replies('Who has the cards?', '1 reply').waitFor();
    expect(await cy.message.replies('Who has the cards?', '1 reply').getByText('new').count()).toBe(0);

    await cy.message.replies('Who has the cards?', '1 reply').press('Enter');
    await cy.beside.thread.write('Nor me');
    await bob.beside.thread.seesTexts(['Not me', 'Nor me']);
    await ada.message.replies('Who has the cards?', '2 replies').getByText('2 new').waitFor();

    // What is new has a line above it, and is read once it is seen.
    await ada.message.replies('Who has the cards?', '2 replies').press('Enter');
    await ada.beside.pane.getByText('New', { exact: true }).waitFor();
    await ada.beside.thread.seesTexts(['Not me', 'Nor me']);
    await ada.message
      .replies('Who has the cards?', '2 replies')
      .getByText('new')
      .waitFor({ state: 'detached' });

    // The address brings the same back.
    await ada.page.reload();
    await ada.beside.thread.seesTexts(['Not me', 'Nor me']);
    await ada.beside.pane
      .getByRole('list', { name: 'What it is about' })
      .getByText('Who has the cards?')
      .waitFor();
    await ada.beside.closes();

    await ada.beside.opens('Threads');
    await ada.beside.listed('Threads', 'Who has the cards?').getByText('2 replies').waitFor();
    // One that nobody here knew of comes in while the list is looked at, as the first one.
    await bob.beside.closes();
    await bob.message.acts('And who the engine?', 'Reply in thread');
    await bob.beside.thread.write('I do');
    await ada.beside.listed('Threads', 'And who the engine?').getByText('1 reply').waitFor();
    await eventually(() => ada.beside.texts('Threads'), ['And who the engine?', 'Who has the cards?']);
    await cy.beside.thread.write('Look in the loom');
    await ada.beside.listed('Threads', 'Who has the cards?').getByText('3 replies').waitFor();
    await eventually(() => ada.beside.texts('Threads'), ['Who has the cards?', 'And who the engine?']);
  });

  story('what_is_written_in_a_thread_without_a_network_waits_there_and_arrives', async ({ arrive, door }) => {
    const cable = await door();
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob', cable.url)]);
    await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
    await ada.list.talkTo(bob);
    await ada.talk.write('Shall we weave?');
    await bob.list.open('Ada Lovelace');
    await bob.message.acts('Shall we weave?', 'Reply in thread');
    await bob.beside.thread.write('Gladly');
    await ada.message.replies('Shall we weave?', '1 reply').press('Enter');

    await bob.goOffline(cable);
    await bob.beside.thread.write('With silk');
    await bob.beside.thread.seesTexts(['Gladly', 'With silk']);
    await bob.beside.thread.seesMark('Waiting to be sent');
    await ada.beside.thread.write('Or with wool');
    await ada.beside.thread.seesMark('Sent');
    await bob.comeBack(cable);
    await bob.beside.thread.seesTexts(['Gladly', 'Or with wool', 'With silk']);
    await bob.beside.thread.seesMark('Sent');
    await ada.beside.thread.seesTexts(['Gladly', 'Or with wool', 'With silk']);
    // It is a draft of its own that a reload keeps.
    await bob.beside.thread.composer.fill('Red or blue?');
    await bob.talk.composer.fill('Something else');
    await bob.talk.composer.blur();
    await bob.page.reload();
    await eventually(() => bob.beside.thread.composer.inputValue(), 'Red or blue?');
    await eventually(() => bob.talk.composer.inputValue(), 'Something else');
  });

  story('a_mention_in_a_thread_counts_until_the_thread_is_read', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
    const name = roomName();
    await ada.room.makes(name);
    await bob.room.joins(name);
    await bob.talk.write('Where do we meet?');
    await ada.talk.seesTexts(['Where do we meet?']);
    await ada.talk.close();
    await bob.message.acts('Where do we meet?', 'Reply in thread');
    await bob.beside.thread.write(`At the mill, @${ada.handle}?`);
    await bob.talk.write('See the thread');
    const mention = ada.list.row(name).getByText('@1 mention of you');
    await mention.waitFor();
    // Reading the conversation does not read its threads.
    await ada.list.open(name);
    await ada.list.row(name).getByText('1 unread').waitFor({ state: 'detached' });
    await mention.waitFor();
    await ada.page.reload();
    await mention.waitFor();
    await ada.message.replies('Where do we meet?', '1 reply').press('Enter');
    await mention.waitFor({ state: 'detached' });
    await ada.page.reload();
    await ada.beside.thread.seesTexts([`At the mill, @${ada.handle}?`]);
    await mention.waitFor({ state: 'detached' });
  });

  story('where_nothing_more_can_be_said_a_thread_says_why', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
    const name = roomName();
    await ada.room.makes(name);
    const room = ada.room.id;
    await bob.room.joins(name);
    const api = await Api.of(ada, inject('natterUrl'));
    const to = { conversation: room };
    const { seq: first } = await api.command('POST', '/api/messages', { to, text: 'First' });
    const { seq: second } = await api.command('POST', '/api/messages', { to, text: 'Second' });
    for (const thread of [first, second])
      await api.command('POST', '/api/messages', { to, text: `About ${thread}`, thread });
    await bob.message.replies('First', '1 reply').press('Enter');
    await bob.beside.thread.seesTexts([`About ${first}`]);
    await bob.beside.thread.composer.waitFor();
    await api.command('DELETE', `/api/conversations/${room}/messages/${first}`);
    await bob.beside.pane.getByText('The message that this was about is deleted.').waitFor();
    await bob.beside.thread.composer.waitFor({ state: 'detached' });
    await bob.beside.thread.seesTexts([`About ${first}`]);

    await bob.message.replies('Second', '1 reply').press('Enter');
    await bob.beside.thread.seesTexts([`About ${second}`]);
    await api.command('DELETE', `/api/rooms/${room}`);
    await bob.beside.pane.getByText('This room is archived').waitFor();
    await bob.beside.thread.composer.waitFor({ state: 'detached' });
  });
});

describe('a reply in a long thread', () => {
  const COUNT = 70;
  let natter: Natter;

  beforeAll(async () => {
    // One that lets one person say a lot in a moment.
    const limits = ['messages', 'commands', 'queries'].flatMap((limit) => [`--max-${limit}`, '1000000']);
    natter = await Natter.start('threads', limits);
  });
  afterAll(() => natter.end());

  /** Is where the keyboard is, stands out, and is in sight. */
  async function isLedTo(person: Person, text: string): Promise<void> {
    const { lines } = person.beside.thread;
    const line = lines.filter({ has: person.page.getByText(text, { exact: true }) });
    await line.and(person.page.locator('.lit')).waitFor();
    await hasFocus(line);
    await eventually(
      () =>
        line.evaluate((item) => {
          const log = item.closest('[role=log]')?.getBoundingClientRect();
          const { top, bottom } = item.getBoundingClientRect();
          return log !== undefined && top >= log.top && bottom <= log.bottom;
        }),
      true,
    );
  }

  story('is_where_a_link_a_search_and_a_pin_lead', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada', natter.url), arrive('bob', natter.url)]);
    await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
    const api = await Api.of(bob, natter.url);
    const participants = [ada.handle, bob.handle];
    const hers = await Api.of(ada, natter.url);
    const question = { to: { participants }, text: 'How many looms?' };
    const root = await hers.command('POST', '/api/messages', question);
    const to = { conversation: root.conversation };
    const seqs: number[] = [];
    for (let n = 1; n <= COUNT; n += 1) {
      const said = { to, text: `Loom number ${n}`, thread: root.seq };
      seqs.push(Number((await api.command('POST', '/api/messages', said)).seq));
    }
    // So that the first message is no more in sight, either.
    for (let n = 1; n <= 40; n += 1) await api.command('POST', '/api/messages', { to, text: `Row ${n}` });

    // From a link, as from a bookmark, to what is not among the newest of the thread.
    const go = (hash: string) =>
      ada.page.evaluate((to) => {
        location.hash = to;
      }, hash);
    await go(`#/c/${root.conversation}/${seqs[2]}/thread/${root.seq}`);
    await isLedTo(ada, 'Loom number 3');
    // Beside it the conversation shows what the thread is about, and the address leads no further.
    await ada.message.line('How many looms?').first().waitFor();
    await eventually(() => ada.page.evaluate(() => location.hash), `#/@${bob.handle}/thread/${root.seq}`);
    // Who was led to the beginning has not read the end.
    const replies = ada.message.replies('How many looms?', `${COUNT} replies`);
    await replies.first().getByText(`${COUNT} new`).waitFor();

    // From what a search found, while the thread is closed, and once more while it is open.
    await ada.beside.closes();
    await ada.beside.opens('Search');
    await ada.beside.looksFor('number 40');
    await ada.beside.listed('Found messages', 'Loom number 40').getByRole('link').press('Enter');
    await isLedTo(ada, 'Loom number 40');
    await go(`#/@${bob.handle}/${seqs[68]}/thread/${root.seq}`);
    await isLedTo(ada, 'Loom number 69');

    // From a pin, without a link that leads anywhere.
    await api.command('PUT', `/api/conversations/${root.conversation}/messages/${seqs[9]}/pin`);
    await ada.beside.pins.press('Enter');
    await ada.beside.listed('Pinned messages', 'Loom number 10').getByRole('link').press('Enter');
    await isLedTo(ada, 'Loom number 10');
    // The way back is where one came from.
    await ada.page.keyboard.press('Escape');
    await ada.page.keyboard.press('Escape');
    await ada.beside.pane.waitFor({ state: 'detached' });
  });
});
