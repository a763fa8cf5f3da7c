import { afterAll, describe, expect } from 'vitest';
import { eventually } from './stage/eventually.ts';
import type { Person } from './stage/person.ts';
import { type Arrive, closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

/** ada and bob, with what ada said on the screens of both. */
async function talking(arrive: Arrive, texts: readonly string[], url?: string): Promise<[Person, Person]> {
  const [ada, bob] = await Promise.all([arrive('ada', url), arrive('bob')]);
  await Promise.all([ada.register('Ada Lovelace'), bob.register('Bob')]);
  await ada.talkTo(bob);
  for (const text of texts) await ada.write(text);
  await bob.openFromList('Ada Lovelace');
  await Promise.all([ada.seesTexts(texts), bob.seesTexts(texts)]);
  return [ada, bob];
}

describe('what people do to messages', () => {
  story('hst3_an_edit_shows_at_once_and_everywhere_with_what_was_said_before', async ({ arrive }) => {
    const [ada, bob] = await talking(arrive, ['Good mornin', 'How are you?']);
    // The last one with the arrow up, the one before it by its actions: both without the mouse.
    await ada.composer.press('ArrowUp');
    await ada.says('How are you today?');
    await eventually(() => ada.isInComposer(), true);
    await ada.acts('Good mornin', 'Edit');
    await ada.says('Good morning');
    const now = ['Good morning', 'How are you today?'];
    await Promise.all([ada.seesTexts(now), bob.seesTexts(now)]);
    await bob.line('Good morning').getByRole('button', { name: 'Edited: show earlier versions' }).click();
    const versions = bob.page.getByRole('list', { name: 'Versions' }).locator('.text');
    await eventually(() => versions.allTextContents(), ['Good morning', 'Good mornin']);
    await bob.page.keyboard.press('Escape');
    await Promise.all([ada.page.reload(), bob.page.reload()]);
    await Promise.all([ada.seesTexts(now), bob.seesTexts(now)]);
    await bob.line('Good morning').getByText('(edited)').waitFor();
    // What is somebody else's is not to be edited.
    await bob.line('Good morning').getByRole('button', { name: 'Actions for the message of' }).click();
    await bob.page.getByRole('button', { name: 'React with heart' }).waitFor();
    expect(await bob.page.getByRole('button', { name: 'Edit', exact: true }).count()).toBe(0);
    expect(await bob.page.getByRole('button', { name: 'Delete', exact: true }).count()).toBe(0);
  });

  story('evt1_an_edit_that_is_left_with_escape_changes_nothing', async ({ arrive }) => {
    const [ada] = await talking(arrive, ['As it was']);
    await ada.composer.press('ArrowUp');
    await ada.editField.fill('Otherwise');
    await ada.editField.press('Escape');
    await ada.seesTexts(['As it was']);
    await ada.composer.press('ArrowUp');
    await ada.editField.fill(' ');
    await ada.editField.press('Enter');
    await ada.seesProblem('To take it back, delete it.');
    await ada.editField.press('Escape');
    await eventually(() => ada.isInComposer(), true);
    await ada.seesTexts(['As it was']);
    expect(await ada.line('As it was').getByText('(edited)').count()).toBe(0);
  });

  story('hst3_a_deleted_message_leaves_a_tombstone_for_everybody', async ({ arrive }) => {
    const [ada, bob] = await talking(arrive, ['A secret', 'Something else']);
    await ada.acts('A secret', 'Delete');
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Keep it' }).click();
    await ada.seesTexts(['A secret', 'Something else']);
    await ada.acts('A secret', 'Delete');
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).press('Enter');
    await eventually(() => ada.isInComposer(), true);
    const left = ['Message deleted', 'Something else'];
    await Promise.all([ada.seesTexts(left), bob.seesTexts(left)]);
    await Promise.all([ada.page.reload(), bob.page.reload()]);
    await Promise.all([ada.seesTexts(left), bob.seesTexts(left)]);
    expect(await bob.line('Message deleted').getByRole('button').count()).toBe(0);
  });

  story('evt1_reactions_are_counted_named_and_taken_back', async ({ arrive }) => {
    const [ada, bob] = await talking(arrive, ['Lunch?']);
    await bob.acts('Lunch?', 'React with thumbs up');
    await ada.seesReactions('Lunch?', ['👍 1: Bob']);
    await ada.reaction('Lunch?', '👍').press('Enter');
    await Promise.all([
      ada.seesReactions('Lunch?', ['👍 2: Bob, you']),
      bob.seesReactions('Lunch?', ['👍 2: you, Ada Lovelace']),
    ]);
    expect(await ada.reaction('Lunch?', '👍').getAttribute('aria-pressed')).toBe('true');
    await bob.actions('Lunch?').click();
    const another = bob.page.getByRole('textbox', { name: 'Another emoji' });
    await another.fill('no emoji');
    await another.press('Enter');
    await bob.seesProblem('That is not one emoji.');
    // As some keyboards write it, without the selector that makes it a picture.
    await another.fill('❤');
    await another.press('Enter');
    await ada.seesReactions('Lunch?', ['👍 2: Bob, you', '❤️ 1: Bob']);
    await bob.reaction('Lunch?', '👍').click();
    await ada.seesReactions('Lunch?', ['👍 1: you', '❤️ 1: Bob']);
    await bob.page.reload();
    await bob.seesReactions('Lunch?', ['👍 1: Ada Lovelace', '❤️ 1: you']);
  });

  story('cmd2_what_was_done_offline_shows_at_once_and_outlives_the_page', async ({ arrive, door }) => {
    const cable = await door();
    const [ada, bob] = await talking(arrive, ['one', 'two', 'three'], cable.url);
    await ada.goOffline(cable);
    await ada.acts('one', 'Edit');
    await ada.says('One');
    await ada.acts('two', 'Delete');
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await ada.acts('three', 'React with celebration');
    const after = ['One', 'Message deleted', 'three'];
    await ada.seesTexts(after);
    await ada.seesReactions('three', ['🎉 1: you']);
    await ada.seesBanner('3 changes waiting, kept on this device');
    await bob.seesTexts(['one', 'two', 'three']);
    await ada.hasKeptDeeds(['edit', 'delete', 'react']);
    // Another page, as after a crash: what waits is done by it.
    await ada.page.goto('about:blank');
    await ada.comeBack(cable);
    await ada.page.goBack();
    await Promise.all([ada.seesTexts(after), bob.seesTexts(after)]);
    await bob.seesReactions('three', ['🎉 1: Ada Lovelace']);
    await ada.seesNoBanner();
    await ada.hasKeptDeeds([]);
  });

  story(
    'cmd4_what_comes_too_late_is_told_at_the_message_and_can_be_thrown_away',
    async ({ arrive, door }) => {
      const cable = await door();
      const [ada, bob] = await talking(arrive, ['Hi'], cable.url);
      await bob.write('Lunch?');
      await ada.seesTexts(['Hi', 'Lunch?']);
      await ada.goOffline(cable);
      await ada.acts('Lunch?', 'React with celebration');
      await ada.seesReactions('Lunch?', ['🎉 1: you']);
      await bob.acts('Lunch?', 'Delete');
      await bob.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await bob.seesTexts(['Hi', 'Message deleted']);
      await ada.comeBack(cable);
      await ada.seesTexts(['Hi', 'Message deleted']);
      await ada.seesProblem('Not reacted 🎉');
      await ada.seesReactions('Message deleted', []);
      await ada.page.getByRole('button', { name: 'Discard' }).click();
      await ada.page.getByText('Not reacted').waitFor({ state: 'detached' });
      await ada.hasKeptDeeds([]);
    },
  );
});
