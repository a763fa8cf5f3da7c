import { afterAll } from 'vitest';
import { LONG_NAME, LONG_WORD } from '../stage/long.ts';
import { scene } from '../stage/scene.ts';
import { closeBrowser } from '../stage/story.ts';

afterAll(closeBrowser);

scene('talk', async ({ arrive, star, door, show }) => {
  const cable = await door();
  const [ada, bob] = await Promise.all([star('ada', cable.url), arrive('bob')]);
  await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
  await ada.list.talkTo(bob);
  await show(ada, 'new');
  await bob.list.talkTo(ada);
  const greeting = ['Hi Ada', 'Did you see the notes on the analytical engine?'];
  for (const text of greeting) await bob.talk.write(text);
  await ada.talk.seesTexts(greeting);
  await ada.talk.write('I wrote them.');
  await ada.talk.write(
    'It weaves algebraical patterns just as the Jacquard loom weaves flowers and leaves.\n\nLonger lines have to wrap, and blank lines stay.',
  );
  await bob.talk.seesTexts(await ada.talk.texts());
  await ada.talk.seesMark('Read');
  await show(ada, 'typing', async () => {
    await bob.talk.composer.pressSequentially('W');
    await ada.talk.typing.getByText('Bob is typing…').waitFor();
  });
  await bob.page.goto('about:blank');
  await ada.talk.head.getByText('Last seen just now').waitFor();
  await ada.talk.write('Are you still there?');
  await ada.talk.seesMark('Sent');
  await show(ada, 'sent');
  await ada.goOffline(cable);
  await ada.talk.write('Written in a tunnel');
  await ada.talk.write(LONG_WORD);
  await ada.talk.seesMark('Waiting to be sent');
  await show(ada, 'offline');
});

scene('faults', async ({ star, show }) => {
  const ada = await star('ada');
  ada.expectsFault(/^answer: 404 to GET \/history\/(direct$|users\/nobody)/);
  await ada.account.register('Ada Lovelace');
  await ada.talk.goTo('nobody-has-this');
  await ada.talk.write('Hello?');
  await ada.talk.seesMark('Not sent');
  await show(ada, 'not-sent');
});

scene('blocks', async ({ arrive, star, show }) => {
  const [ada, max] = await Promise.all([star('ada'), arrive('max')]);
  await Promise.all([ada.account.register('Ada Lovelace'), max.account.register(LONG_NAME)]);
  await max.list.talkTo(ada);
  await max.talk.write(`A long word: ${LONG_WORD}`);
  await ada.list.open(LONG_NAME);
  await ada.talk.write(LONG_WORD);
  await ada.talk.seesMark('Read');
  await show(ada, 'long-words');
  await ada.beside.opensProfile();
  await show(ada, 'profile');
  await ada.beside.pane.getByRole('button', { name: `Block ${LONG_NAME}` }).click();
  const sure = ada.page.getByRole('dialog').getByRole('button', { name: 'Block', exact: true });
  await sure.waitFor();
  await show(ada, 'block');
  await sure.click();
  await ada.beside.pane.getByRole('button', { name: `Unblock ${LONG_NAME}` }).waitFor();
  await ada.beside.closes();
  await ada.page.getByText(`You have blocked ${LONG_NAME}.`).waitFor();
  await show(ada, 'blocked');
});
