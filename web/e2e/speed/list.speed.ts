import { afterAll, inject } from 'vitest';
import { Api } from '../stage/api.ts';
import { eventually } from '../stage/eventually.ts';
import { closeBrowser } from '../stage/story.ts';
import { noteFrames, noteMemory, turnWheel } from './frames.ts';
import { measure, noteTimes } from './measure.ts';
import { watchText } from './watch.ts';

afterAll(closeBrowser);

const CONVERSATIONS = Number(process.env.SPEED_CONVERSATIONS ?? 1_000);
const AT_ONCE = 16;
const MESSAGES = 20;
const NOTCH = 300;
const TURN_MS = 5_000;
const LIST = 'nav .list-scroll';

measure(`${CONVERSATIONS.toLocaleString('en-GB')} conversations in the list`, async ({ arrive, note }) => {
  const url = inject('natterUrl');
  const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
  await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
  await Promise.all([ada, bob].map(({ page }) => page.goto('about:blank')));
  const api = await Api.of(bob, url);
  const rooms: string[] = [];
  const make = async (n: number) => {
    const name = `Room ${n + 1}`;
    const { conversation } = await api.command('POST', '/api/rooms', { name, visibility: 'private' });
    await api.command('PUT', `/api/rooms/${conversation}/members/${ada.handle}`);
    await say(`Welcome to ${name}`, String(conversation));
    rooms.push(String(conversation));
  };
  const say = (text: string, conversation: string) =>
    api.command('POST', '/api/messages', { to: { conversation }, text });
  for (let from = 0; from < CONVERSATIONS; from += AT_ONCE)
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, CONVERSATIONS - from) }, (_, n) => make(from + n)),
    );

  const begun = performance.now();
  await ada.page.goto(url);
  await ada.list.row(`Room ${CONVERSATIONS}`).first().waitFor();
  note('from the address to the first rows', performance.now() - begun, 'ms');
  const more = ada.page.getByRole('button', { name: 'More conversations' });
  // A client that reads them all by itself has no such button.
  while (await more.isVisible()) {
    const rows = await ada.page.locator(`${LIST} li`).count();
    await more.click();
    await eventually(async () => (await ada.page.locator(`${LIST} li`).count()) > rows, true);
  }
  note('rows in the page', await ada.page.locator(`${LIST} li`).count(), '');

  const heard: number[] = [];
  for (let n = 0; n < MESSAGES; n += 1) {
    const text = `Said ${n + 1}`;
    const shown = await watchText(ada.page, `${LIST} li`, text);
    const sent = Date.now();
    await say(text, rooms[(7 * n) % rooms.length] ?? '');
    heard.push((await shown()) - sent);
  }
  noteTimes(note, 'from somebody’s sending to the row', heard);
  await noteFrames(note, ada.page, async () => {
    await turnWheel(ada.page, LIST, NOTCH, TURN_MS);
    await turnWheel(ada.page, LIST, -NOTCH, TURN_MS);
  });
  await noteMemory(note, ada.page);
});
