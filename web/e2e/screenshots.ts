/** Pictures of what people see, light and dark, wide and narrow. Nothing is compared: they are for looking at. */
import { join } from 'node:path';
import type { BrowserContextOptions } from 'playwright-core';
import { afterAll, expect, inject } from 'vitest';
import { Api } from './stage/api.ts';
import type { Person } from './stage/person.ts';
import { closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

const FOLDER = join(import.meta.dirname, '../screenshots');
const LONG_NAME = 'Maximiliana-Konstantinopolitanska Wolfeschlegelsteinhausenberger'.slice(0, 64);
const LONG_WORD = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'.repeat(
  3,
);

const LOOKS: Record<string, BrowserContextOptions> = {
  wide: { viewport: { width: 1280, height: 800 } },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
};

for (const [look, options] of Object.entries(LOOKS)) {
  story(`the_page_${look}`, async ({ arrive, door }) => {
    const cable = await door();
    const [ada, bob, max] = await Promise.all([
      arrive('ada', cable.url, options),
      arrive('bob'),
      arrive('maximiliana-konstantinop'),
    ]);
    ada.expectsFault(/^answer: 404 to GET \/history\/(direct$|users\/nobody)/);
    const picture = pictures(ada, look);

    await picture('log-in');
    await ada.logIn('a wrong password');
    await ada.seesProblem('Handle and password don’t match.');
    await picture('log-in-refused');
    await ada.chooseRegistration();
    await picture('register');
    await Promise.all([
      ada.fillRegistration({ displayName: 'Ada Lovelace' }),
      bob.register('Bob'),
      max.register(LONG_NAME),
    ]);
    await ada.seesTheChat();
    await ada.page.getByText('No conversations yet.').waitFor();
    await picture('empty');

    await ada.page.getByRole('button', { name: 'New conversation' }).click();
    await picture('new-conversation');
    await ada.page.getByRole('searchbox', { name: 'Find people' }).fill('max');
    await ada.page.getByText(LONG_NAME).first().waitFor();
    await picture('new-conversation-found');
    await ada.page.getByRole('button', { name: 'Close' }).click();

    await max.talkTo(ada);
    await max.write(`A long word: ${LONG_WORD}`);
    await bob.talkTo(ada);
    for (const text of ['Hi Ada', 'Did you see the notes on the analytical engine?']) await bob.write(text);
    await ada.row('Bob').locator('.badge').waitFor();
    await ada.row(LONG_NAME).locator('.badge').waitFor();
    await picture('unread');
    await ada.openFromList('Bob');
    await ada.write('I wrote them.');
    await ada.write(
      'It weaves algebraical patterns just as the Jacquard loom weaves flowers and leaves.\n\nLonger lines have to wrap, and blank lines stay.',
    );
    await bob.seesTexts(await ada.texts());
    await ada.seesMark('Read');
    await bob.composer.pressSequentially('W');
    await ada.typing.getByText('Bob is typing…').waitFor();
    await picture('conversation');
    await bob.acts('I wrote them.', 'React with heart');
    await bob.acts('I wrote them.', 'React with celebration');
    await ada.seesReactions('I wrote them.', ['❤️ 1: Bob', '🎉 1: Bob']);
    await ada.reaction('I wrote them.', '❤️').click();
    await ada.actions('I wrote them.').click();
    await picture('actions');
    await ada.page.keyboard.press('Escape');
    await ada.composer.press('ArrowUp');
    await picture('edit');
    await ada.says('It weaves patterns just as the loom weaves flowers and leaves.');
    await ada.page.getByRole('button', { name: 'Edited: show earlier versions' }).click();
    await ada.page.getByRole('list', { name: 'Versions' }).waitFor();
    await picture('versions');
    await ada.page.keyboard.press('Escape');
    await ada.write('Never mind');
    await ada.acts('Never mind', 'Delete');
    await picture('delete');
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await ada.line('Message deleted').waitFor();
    await picture('deleted');
    await bob.page.goto('about:blank');
    await ada.head.getByText('Last seen just now').waitFor();
    await ada.write('Are you still there?');
    await ada.seesMark('Sent');
    await picture('conversation-sent');
    await ada.closeConversation();
    await ada.openFromList(LONG_NAME);
    await ada.write(LONG_WORD);
    await ada.seesMark('Read');
    await picture('long-words');
    await ada.head.getByRole('button', { name: `Block ${LONG_NAME}` }).click();
    await picture('block');
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Block', exact: true }).click();
    await ada.page.getByText(`You have blocked ${LONG_NAME}.`).waitFor();
    await picture('blocked');
    await ada.page.locator('.blocked').getByRole('button', { name: 'Unblock' }).click();
    await ada.composer.waitFor();

    await ada.goOffline(cable);
    await ada.write('Written in a tunnel');
    await ada.write(LONG_WORD);
    await ada.seesMark('Waiting to be sent');
    await picture('offline');
    await ada.closeConversation();
    await picture('offline-list');
    await ada.page.getByRole('button', { name: 'Log out' }).click();
    await picture('log-out');
    await ada.page.keyboard.press('Escape');
    await ada.comeBack(cable);
    await ada.seesNoBanner();
    await ada.goToConversationWith('nobody-has-this');
    await ada.write('Hello?');
    await ada.seesMark('Not sent');
    await picture('failed');
  });

  story(`rooms_${look}`, async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada', inject('natterUrl'), options), arrive('bob')]);
    await Promise.all([ada.register('Ada Lovelace'), bob.register('Bob')]);
    const picture = pictures(ada, `${look}-rooms`);
    // No other look has made a room of these names.
    const lobby = `Lobby (${look})`;
    const long = `${LONG_WORD.slice(0, 70)} (${look})`;

    await ada.page.getByRole('button', { name: 'Find rooms' }).click();
    await ada.page.getByRole('button', { name: 'New room' }).click();
    await ada.page.getByRole('textbox', { name: 'Name' }).fill(lobby);
    await picture('new');
    await ada.page.keyboard.press('Escape');
    await bob.makesRoom(lobby);
    const room = bob.room;
    const api = await Api.of(bob, inject('natterUrl'));
    await api.command('PATCH', `/api/rooms/${room}`, { topic: 'Engines, looms and what they weave' });
    await bob.makesRoom(long);
    await bob.openFromList(lobby);
    await bob.write('Welcome');
    await ada.page.getByRole('button', { name: 'Find rooms' }).click();
    await ada.page.getByRole('searchbox', { name: 'Name or topic' }).fill(look);
    await ada.page.getByRole('button', { name: `Join ${long}` }).waitFor();
    await picture('found');
    await ada.page.getByRole('button', { name: `Join ${lobby}` }).click();
    await ada.seesTexts(['Welcome']);
    await ada.write('Thank you, I have something to show');
    await ada.closeConversation();
    await ada.makesRoom(`Secrets (${look})`, 'Private');
    await ada.write('To remember');
    await ada.closeConversation();
    await ada.joinsRoom(long);
    await picture('long-name');
    await ada.closeConversation();
    await bob.seesTexts(['Welcome', 'Thank you, I have something to show']);

    const to = { conversation: room };
    const { seq } = await api.command('POST', '/api/messages', { to, text: 'What does it weave?' });
    for (const text of ['Flowers', 'Leaves'])
      await api.command('POST', '/api/messages', { to, text, thread: seq });
    const text = `Show us then, @${ada.handle}, and bring the cards that the others asked for.`;
    await api.command('POST', '/api/messages', { to, text, reply_to: seq });
    await ada.row(lobby).getByText('2 unread').waitFor();
    await picture('list');
    await ada.openFromList(lobby);
    await ada.line(text).waitFor();
    await api.command('PATCH', `/api/rooms/${room}`, { name: `${lobby} II` });
    await ada.notices.waitFor();
    await picture('room');
    await ada.head.getByRole('button', { name: 'Leave' }).click();
    await picture('leave');
    await ada.page.getByRole('button', { name: 'Stay' }).click();
    await api.command('DELETE', `/api/rooms/${room}`);
    await ada.page.getByText('This room is archived').waitFor();
    await picture('archived');
    await api.command('DELETE', `/api/rooms/${room}/members/${ada.handle}`);
    await ada.page.getByText('Bob removed you').waitFor();
    await picture('removed');
  });
}

/** Takes pictures of somebody's page, one after the other. */
function pictures(person: Person, look: string): (name: string) => Promise<void> {
  let n = 0;
  return async (name) => {
    n += 1;
    const path = join(FOLDER, `${look}-${String(n).padStart(2, '0')}-${name}.png`);
    await person.page.screenshot({ path, animations: 'disabled' });
    expect(await widerThanTheWindow(person), `${name} is wider than the window`).toEqual([]);
  };
}

/** What can be scrolled sideways. */
function widerThanTheWindow(person: Person): Promise<string[]> {
  return person.page.evaluate(() =>
    [...document.querySelectorAll('*')]
      .filter(
        (element) =>
          element === document.documentElement || /auto|scroll/.test(getComputedStyle(element).overflowX),
      )
      .filter((element) => element.tagName !== 'TEXTAREA' && element.scrollWidth > element.clientWidth + 1)
      .map((element) => `${element.tagName}.${element.className}`),
  );
}
