import { afterAll, describe, expect, inject } from 'vitest';
import { Api } from './stage/api.ts';
import { eventually } from './stage/eventually.ts';
import { hasFocus } from './stage/focus.ts';
import type { Person } from './stage/person.ts';
import { type Arrive, closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

/** ada and bob, with what ada said on the screens of both. */
async function talking(arrive: Arrive, texts: readonly string[], url?: string): Promise<[Person, Person]> {
  const [ada, bob] = await Promise.all([arrive('ada', url), arrive('bob')]);
  await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
  await ada.list.talkTo(bob);
  for (const text of texts) await ada.talk.write(text);
  await bob.list.open('Ada Lovelace');
  await Promise.all([ada.talk.seesTexts(texts), bob.talk.seesTexts(texts)]);
  // Until it is in the log, nothing can be done to it.
  await ada.talk.seesMark('Read');
  return [ada, bob];
}

describe('what people do to messages', () => {
  story('hst3_an_edit_shows_at_once_and_everywhere_with_what_was_said_before', async ({ arrive }) => {
    const [ada, bob] = await talking(arrive, ['Good mornin', 'How are you?']);
    // The last one with the arrow up, the one before it by its actions: both without the mouse.
    await ada.talk.composer.press('ArrowUp');
    await ada.message.says('How are you today?');
    await eventually(() => ada.talk.isInComposer(), true);
    await ada.message.acts('Good mornin', 'Edit');
    await ada.message.says('Good morning');
    const now = ['Good morning', 'How are you today?'];
    await Promise.all([ada.talk.seesTexts(now), bob.talk.seesTexts(now)]);
    await bob.message
      .line('Good morning')
      .getByRole('button', { name: 'Edited: show earlier versions' })
      .click();
    const versions = bob.page.getByRole('list', { name: 'Versions' }).locator('.text');
    await eventually(() => versions.allTextContents(), ['Good morning', 'Good mornin']);
    await bob.page.keyboard.press('Escape');
    await Promise.all([ada.page.reload(), bob.page.reload()]);
    await Promise.all([ada.talk.seesTexts(now), bob.talk.seesTexts(now)]);
    await bob.message.line('Good morning').getByText('(edited)').waitFor();
    // What is somebody else's is not to be edited.
    await bob.message
      .line('Good morning')
      .getByRole('button', { name: 'Actions for the message of' })
      .click();
    await bob.page.getByRole('button', { name: 'React with heart' }).waitFor();
    expect(await bob.page.getByRole('button', { name: 'Edit', exact: true }).count()).toBe(0);
    expect(await bob.page.getByRole('button', { name: 'Delete', exact: true }).count()).toBe(0);
  });

  story('evt1_an_edit_is_kept_until_it_is_saved_or_left_with_escape', async ({ arrive }) => {
    const [ada, bob] = await talking(arrive, ['One', 'Two', 'Three']);
    const { editField } = ada.message;
    await ada.message.acts('One', 'Edit');
    await editField.fill('First');
    // Another one in between takes nothing from it.
    await ada.talk.composer.press('ArrowUp');
    await editField.fill('Third');
    await ada.talk.close();
    expect(await ada.list.row('Bob').innerText()).not.toContain('Draft');
    await ada.list.open('Bob');
    await eventually(() => editField.inputValue(), 'Third');
    // One comes back to the conversation, not to the edit; the arrow up leads there.
    await eventually(() => ada.talk.isInComposer(), true);
    await ada.talk.composer.press('ArrowUp');
    await hasFocus(editField);
    await editField.press('Enter');
    await eventually(() => editField.inputValue(), 'First');
    await eventually(() => ada.talk.isInComposer(), true);
    await ada.page.reload();
    await eventually(() => editField.inputValue(), 'First');
    await editField.fill(' ');
    await editField.press('Enter');
    await ada.seesProblem('To take it back, delete it.');
    await editField.press('Escape');
    await eventually(() => ada.talk.isInComposer(), true);
    await ada.page.reload();
    await Promise.all([ada, bob].map(({ talk }) => talk.seesTexts(['One', 'Two', 'Third'])));
    expect(await ada.message.line('One').getByText('(edited)').count()).toBe(0);
  });

  story('evt1_an_edit_that_was_kept_does_not_undo_what_was_changed_elsewhere', async ({ arrive }) => {
    const [ada, bob] = await talking(arrive, ['Zero']);
    const { editField } = ada.message;
    const api = await Api.of(ada, inject('natterUrl'));
    const to = { participants: [ada.handle, bob.handle] };
    const say = async (text: string) => {
      const { conversation, seq } = await api.command('POST', '/api/messages', { to, text });
      return `/api/conversations/${conversation}/messages/${seq}`;
    };
    const [one, two] = [await say('One'), await say('Two')];
    await ada.talk.seesTexts(['Zero', 'One', 'Two']);
    const change = (message: string, text: string) => api.command('PATCH', message, { text });
    // Nothing was written yet: there is nothing to keep.
    await ada.message.acts('One', 'Edit');
    await change(one, 'Otherwise');
    await editField.waitFor({ state: 'detached' });
    await ada.talk.seesTexts(['Zero', 'Otherwise', 'Two']);
    // What was written stays, and what it would replace is said.
    await ada.message.acts('Two', 'Edit');
    await editField.fill('Second');
    await change(two, 'Deux');
    await ada.page.getByText('Changed elsewhere meanwhile: “Deux”.').waitFor();
    await editField.press('Escape');
    await ada.talk.seesTexts(['Zero', 'Otherwise', 'Deux']);
    // Of one that is gone there is nothing to edit.
    await ada.message.acts('Deux', 'Edit');
    await editField.fill('Second');
    await api.command('DELETE', two);
    await ada.talk.seesTexts(['Zero', 'Otherwise', 'Message deleted']);
    await ada.message.acts('Otherwise', 'Edit');
    await eventually(() => editField.inputValue(), 'Otherwise');
  });

  story('hst3_a_deleted_message_leaves_a_tombstone_for_everybody', async ({ arrive }) => {
    const [ada, bob] = await talking(arrive, ['A secret', 'Something else']);
    await ada.message.acts('A secret', 'Delete');
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Keep it' }).click();
    await ada.talk.seesTexts(['A secret', 'Something else']);
    await ada.message.acts('A secret', 'Delete');
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).press('Enter');
    await eventually(() => ada.talk.isInComposer(), true);
    const left = ['Message deleted', 'Something else'];
    await Promise.all([ada.talk.seesTexts(left), bob.talk.seesTexts(left)]);
    await Promise.all([ada.page.reload(), bob.page.reload()]);
    await Promise.all([ada.talk.seesTexts(left), bob.talk.seesTexts(left)]);
    expect(await bob.message.actions('Message deleted').count()).toBe(0);
  });

  story('evt1_reactions_are_counted_named_and_taken_back', async ({ arrive }) => {
    const [ada, bob] = await talking(arrive, ['Lunch?']);
    await bob.message.acts('Lunch?', 'React with thumbs up');
    await ada.message.seesReactions('Lunch?', ['👍 1: Bob']);
    await ada.message.reaction('Lunch?', '👍').press('Enter');
    await Promise.all([
      ada.message.seesReactions('Lunch?', ['👍 2: Bob, you']),
      bob.message.seesReactions('Lunch?', ['👍 2: you, Ada Lovelace']),
    ]);
    expect(await ada.message.reaction('Lunch?', '👍').getAttribute('aria-pressed')).toBe('true');
    await bob.message.actions('Lunch?').click();
    await bob.page.getByRole('button', { name: 'Another emoji' }).click();
    const another = bob.page.getByRole('searchbox', { name: 'Search emoji' });
    await another.fill('no emoji');
    await bob.page.getByText('No emoji for “no emoji”.').waitFor();
    // As some keyboards write it, without the selector that makes it a picture.
    await another.fill('❤');
    await another.press('Enter');
    await ada.message.seesReactions('Lunch?', ['👍 2: Bob, you', '❤️ 1: Bob']);
    await bob.message.reaction('Lunch?', '👍').click();
    await ada.message.seesReactions('Lunch?', ['👍 1: you', '❤️ 1: Bob']);
    await bob.page.reload();
    await bob.message.seesReactions('Lunch?', ['👍 1: Ada Lovelace', '❤️ 1: you']);
  });

  story('cmd2_what_was_done_offline_shows_at_once_and_outlives_the_page', async ({ arrive, door }) => {
    const cable = await door();
    const [ada, bob] = await talking(arrive, ['one', 'two', 'three'], cable.url);
    await ada.goOffline(cable);
    await ada.message.acts('one', 'Edit');
    await ada.message.says('One');
    await ada.message.acts('two', 'Delete');
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await ada.message.acts('three', 'React with celebration');
    const after = ['One', 'Message deleted', 'three'];
    await ada.talk.seesTexts(after);
    await ada.message.seesReactions('three', ['🎉 1: you']);
    await ada.seesBanner('3 changes waiting, kept on this device');
    await bob.talk.seesTexts(['one', 'two', 'three']);
    await ada.talk.hasKeptDeeds(['edit', 'delete', 'react']);
    // Another page, as after a crash: what waits is done by it.
    await ada.page.goto('about:blank');
    await ada.comeBack(cable);
    await ada.page.goBack();
    await Promise.all([ada.talk.seesTexts(after), bob.talk.seesTexts(after)]);
    await bob.message.seesReactions('three', ['🎉 1: Ada Lovelace']);
    await ada.seesNoBanner();
    await ada.talk.hasKeptDeeds([]);
  });

  story(
    'cmd4_what_comes_too_late_is_told_at_the_message_and_can_be_thrown_away',
    async ({ arrive, door }) => {
      const cable = await door();
      const [ada, bob] = await talking(arrive, ['Hi'], cable.url);
      await bob.talk.write('Lunch?');
      await ada.talk.seesTexts(['Hi', 'Lunch?']);
      await ada.goOffline(cable);
      await ada.message.acts('Lunch?', 'React with celebration');
      await ada.message.seesReactions('Lunch?', ['🎉 1: you']);
      await bob.message.acts('Lunch?', 'Delete');
      await bob.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await bob.talk.seesTexts(['Hi', 'Message deleted']);
      await bob.talk.hasKeptDeeds([]);
      await ada.comeBack(cable);
      await ada.talk.seesTexts(['Hi', 'Message deleted']);
      await ada.seesProblem('Not reacted 🎉');
      await ada.message.seesReactions('Message deleted', []);
      await ada.page.getByRole('button', { name: 'Discard' }).click();
      await ada.page.getByText('Not reacted').waitFor({ state: 'detached' });
      await ada.talk.hasKeptDeeds([]);
    },
  );
});
