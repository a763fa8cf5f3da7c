import { afterAll, describe, expect } from 'vitest';
import { eventually } from './stage/eventually.ts';
import { listen } from './stage/heard.ts';
import type { Person } from './stage/person.ts';
import { type Arrive, closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

async function adaAndBob(arrive: Arrive): Promise<[Person, Person]> {
  const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
  await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob Ångström')]);
  await ada.list.talkTo(bob);
  return [ada, bob];
}

const picker = ({ page }: Person) => page.getByRole('dialog', { name: 'Pick an emoji' });
const suggestions = ({ page }: Person) => page.getByRole('listbox', { name: 'Suggestions' });
/** The Enter that confirms a composition, as Safari tells of it. False where the page took it for itself. */
const confirms = ({ talk }: Person) =>
  talk.composer.evaluate((field) =>
    field.dispatchEvent(
      new KeyboardEvent('keydown', { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true }),
    ),
  );
const focused = ({ page }: Person) =>
  page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');

describe('emoji', () => {
  story('a_shortcode_becomes_an_emoji_and_undo_takes_that_back', async ({ arrive }) => {
    const [ada] = await adaAndBob(arrive);
    await ada.talk.composer.pressSequentially('Done :tada:');
    await eventually(() => ada.talk.composer.inputValue(), 'Done 🎉');
    await ada.talk.composer.pressSequentially(' `:tada:` at 12:30:45 :)');
    await eventually(() => ada.talk.composer.inputValue(), 'Done 🎉 `:tada:` at 12:30:45 :)');
    await ada.talk.composer.fill('');
    await ada.talk.composer.pressSequentially('So :rocket:');
    await eventually(() => ada.talk.composer.inputValue(), 'So 🚀');
    await ada.talk.composer.press('Control+z');
    await eventually(() => ada.talk.composer.inputValue(), 'So :rocket:');
  });

  story('a_shortcode_that_is_sent_at_once_is_an_emoji_too', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    await ada.talk.composer.fill('Yes :+1: and :no_such_thing:');
    await ada.talk.composer.press('Enter');
    await ada.talk.seesTexts(['Yes 👍 and :no_such_thing:']);
    await bob.list.open('Ada Lovelace');
    await bob.talk.seesTexts(['Yes 👍 and :no_such_thing:']);
  });

  story('the_picker_needs_no_mouse', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    await ada.talk.composer.fill('Well ');
    await ada.page.keyboard.press('Tab');
    await ada.page.keyboard.press('Tab');
    await eventually(() => focused(ada), 'Emoji');
    await ada.page.keyboard.press('Enter');
    await picker(ada).getByRole('gridcell').first().waitFor();
    await eventually(() => focused(ada), 'Search emoji');
    await ada.page.keyboard.press('ArrowDown');
    await eventually(() => focused(ada), 'grinning face');
    await ada.page.keyboard.press('ArrowRight');
    await eventually(() => focused(ada), 'grinning face with big eyes');
    await ada.page.keyboard.press('End');
    await ada.page.keyboard.press('Home');
    await eventually(() => focused(ada), 'grinning face');
    await ada.page.keyboard.press('Control+End');
    await eventually(() => focused(ada), 'flag: Wales');
    await ada.page.keyboard.press('Control+Home');
    await ada.page.keyboard.press('ArrowUp');
    await eventually(() => focused(ada), 'Search emoji');
    await ada.page.keyboard.type('party pop');
    await picker(ada).getByRole('status').filter({ hasText: 'emoji found' }).waitFor();
    await ada.page.keyboard.press('Enter');
    await picker(ada).waitFor({ state: 'detached' });
    await eventually(() => ada.talk.composer.inputValue(), 'Well 🎉');
    await eventually(() => ada.talk.isInComposer(), true);
    await ada.page.keyboard.press('Enter');
    await bob.list.open('Ada Lovelace');
    await bob.talk.seesTexts(['Well 🎉']);
    // What was picked stands first from now on, also after a reload; Escape changes nothing.
    await ada.page.reload();
    await eventually(() => ada.talk.isInComposer(), true);
    await ada.page.getByRole('button', { name: 'Emoji', exact: true }).press('Enter');
    const recent = picker(ada).getByRole('rowgroup', { name: 'Recently used' });
    await recent.getByRole('gridcell', { name: 'party popper' }).waitFor();
    await ada.page.keyboard.press('Escape');
    await picker(ada).waitFor({ state: 'detached' });
    await eventually(() => focused(ada), 'Emoji');
    expect(await ada.talk.composer.inputValue()).toBe('');
  });

  story('an_emoji_goes_where_the_caret_was', async ({ arrive }) => {
    const [ada] = await adaAndBob(arrive);
    await ada.talk.composer.fill('one two');
    for (let n = 0; n < 3; n += 1) await ada.talk.composer.press('ArrowLeft');
    await ada.page.getByRole('button', { name: 'Emoji', exact: true }).click();
    await picker(ada).getByRole('gridcell', { name: 'grinning face', exact: true }).click();
    await eventually(() => ada.talk.composer.inputValue(), 'one 😀two');
    await ada.talk.composer.press('Control+z');
    await eventually(() => ada.talk.composer.inputValue(), 'one two');
  });

  story('a_reaction_from_the_picker_in_ones_own_skin_tone_is_seen_by_the_other', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    await ada.talk.write('Shall we?');
    await bob.list.open('Ada Lovelace');
    await bob.message.actions('Shall we?').press('Enter');
    await bob.page.getByRole('button', { name: 'Another emoji' }).click();
    await picker(bob).getByRole('radio', { name: 'Medium-dark' }).check({ force: true });
    const heard = await listen(bob.page);
    await picker(bob).getByRole('searchbox').fill('no such emoji');
    await eventually(async () => (await heard()).at(-1), 'No emoji for “no such emoji”.');
    await picker(bob).getByRole('searchbox').fill('raised hand');
    await picker(bob).getByRole('gridcell', { name: 'raised hand', exact: true }).click();
    await ada.message.seesReactions('Shall we?', ['✋🏾 1: Bob Ångström']);
    await bob.message.seesReactions('Shall we?', ['✋🏾 1: you']);
    expect(await focused(bob)).toContain('Actions for');
  });
});

describe('completion', () => {
  story('of_an_emoji_by_arrows_and_an_enter_that_no_composition_has', async ({ arrive }) => {
    const [ada] = await adaAndBob(arrive);
    await ada.talk.composer.pressSequentially('x :rock');
    await suggestions(ada).getByRole('option', { name: 'rocket', exact: false }).first().waitFor();
    await ada.talk.composer.press('Escape');
    await suggestions(ada).waitFor({ state: 'detached' });
    await ada.talk.composer.pressSequentially('e');
    expect(await suggestions(ada).count()).toBe(0);
    expect(await confirms(ada)).toBe(true);
    await eventually(() => ada.talk.composer.inputValue(), 'x :rocke');
    await ada.talk.composer.fill('x ');
    await ada.talk.composer.pressSequentially(':rocke');
    await suggestions(ada).waitFor();
    expect(await confirms(ada)).toBe(true);
    await eventually(() => ada.talk.composer.inputValue(), 'x :rocke');
    await ada.talk.composer.press('Enter');
    await eventually(() => ada.talk.composer.inputValue(), 'x 🚀 ');
    await ada.talk.composer.press('Control+z');
    await eventually(() => ada.talk.composer.inputValue(), 'x :rocke');
  });

  story('of_a_person_in_a_direct_conversation_finds_them_by_name_without_accents', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    await ada.talk.composer.pressSequentially('Hi @angs');
    await suggestions(ada).getByRole('option').filter({ hasText: 'Bob Ångström' }).waitFor();
    await ada.talk.composer.press('Tab');
    await eventually(() => ada.talk.composer.inputValue(), `Hi @${bob.handle} `);
    await ada.talk.composer.fill('');
    await ada.talk.composer.pressSequentially('mail me at ada@angs');
    expect(await suggestions(ada).count()).toBe(0);
  });

  story('of_a_member_asks_the_room_and_the_mention_reaches_them', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob Ångström')]);
    const room = `Reading ${ada.handle}`;
    await ada.room.makes(room);
    await bob.room.joins(room);
    await bob.talk.close();
    await ada.talk.composer.pressSequentially('@roo');
    await suggestions(ada).getByRole('option').filter({ hasText: 'Everybody in this room' }).waitFor();
    await ada.talk.composer.fill('');
    // He has said nothing yet: only the room knows of him.
    await ada.talk.composer.pressSequentially(`@${bob.handle.slice(0, 6)}`);
    const option = suggestions(ada).getByRole('option').filter({ hasText: 'Bob Ångström' });
    await option.waitFor();
    const active = await option.getAttribute('id');
    await eventually(() => ada.talk.composer.getAttribute('aria-activedescendant'), active);
    await option.click();
    await eventually(() => ada.talk.composer.inputValue(), `@${bob.handle} `);
    // Written to its end there is nothing to choose: Enter sends it.
    await ada.talk.composer.fill('');
    await ada.talk.composer.pressSequentially(`Look, @${bob.handle}`);
    await option.waitFor();
    await ada.talk.composer.press('Enter');
    await eventually(() => ada.talk.composer.inputValue(), '');
    await bob.list.row(room).getByText(`Look, @${bob.handle}`).waitFor();
    await ada.talk.composer.fill(`@${bob.handle} `);
    await ada.talk.composer.pressSequentially('have you read it?');
    await ada.talk.composer.press('Enter');
    await bob.list.row(room).locator('.badge-mention').waitFor();
    await bob.list.open(room);
    await bob.message
      .line(`@${bob.handle} have you read it?`)
      .getByText('(mentions you)')
      .waitFor({ state: 'attached' });
    // She spoke, so she is known at once; to mention everybody is the moderators'.
    await bob.talk.composer.pressSequentially('@');
    await suggestions(bob).getByRole('option').filter({ hasText: 'Ada Lovelace' }).waitFor();
    expect(await suggestions(bob).getByText('Everybody in this room').count()).toBe(0);
  });
});

describe('a draft', () => {
  story('survives_a_reload_shows_in_the_list_and_goes_with_the_logout', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    await ada.talk.write('Hello');
    await ada.talk.composer.fill('half a thought');
    await ada.page.reload();
    await eventually(() => ada.talk.composer.inputValue(), 'half a thought');
    await ada.talk.close();
    await ada.list.row('Bob').getByText('Draft: half a thought').waitFor();
    await ada.list.open('Bob');
    await eventually(() => ada.talk.isInComposer(), true);
    await ada.page.keyboard.type(', and more');
    await eventually(() => ada.talk.composer.inputValue(), 'half a thought, and more');
    await ada.talk.composer.fill('');
    await ada.talk.close();
    await ada.list.row('Bob').getByText('You: Hello').waitFor();
    await ada.list.open('Bob');
    await ada.talk.composer.fill('a secret');
    await ada.account.logOut();
    await ada.account.logInAs(ada);
    await ada.talk.goTo(bob.handle);
    await ada.talk.seesTexts(['Hello']);
    expect(await ada.talk.composer.inputValue()).toBe('');
  });

  story('is_the_same_in_two_tabs_but_nobody_writes_into_a_field_that_is_in_use', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    const other = await ada.anotherTab();
    await other.talk.goTo(bob.handle);
    await eventually(() => other.talk.isInComposer(), true);
    await other.page.getByRole('button', { name: 'Send' }).focus();
    await ada.talk.composer.fill('from the first tab');
    await eventually(() => other.talk.composer.inputValue(), 'from the first tab');
    await other.talk.composer.fill('from the second');
    await other.page.getByRole('button', { name: 'Send' }).focus();
    expect(await ada.talk.composer.inputValue()).toBe('from the first tab');
    // Once she leaves the field it shows what was written last.
    await eventually(async () => {
      await ada.talk.composer.focus();
      await ada.page.getByRole('button', { name: 'Send' }).focus();
      return ada.talk.composer.inputValue();
    }, 'from the second');
  });
});

describe('a reply', () => {
  story('is_begun_at_a_message_kept_with_the_draft_and_seen_with_what_it_answers', async ({ arrive }) => {
    const [ada, bob] = await adaAndBob(arrive);
    await ada.talk.write('Lunch?');
    await bob.list.open('Ada Lovelace');
    await bob.message.acts('Lunch?', 'Reply');
    await bob.page.getByText('Replying to Ada Lovelace: Lunch?').waitFor();
    await eventually(() => bob.talk.isInComposer(), true);
    await bob.talk.composer.press('Escape');
    await bob.page.getByText('Replying to').waitFor({ state: 'detached' });
    await bob.message.acts('Lunch?', 'Reply');
    await bob.talk.composer.fill('At one');
    await bob.page.reload();
    await bob.page.getByText('Replying to Ada Lovelace: Lunch?').waitFor();
    await bob.talk.composer.press('Enter');
    await bob.page.getByText('Replying to').waitFor({ state: 'detached' });
    for (const person of [ada, bob]) {
      await person.message.line('At one').locator('.answered').getByText('Lunch?').waitFor();
    }
    // The next one answers nothing.
    await bob.talk.write('Or two');
    await ada.message.line('Or two').waitFor();
    expect(await ada.message.line('Or two').locator('.answered').count()).toBe(0);
  });
});

describe('formatting', () => {
  story('wraps_what_is_selected_by_keys_and_by_the_bar', async ({ arrive }) => {
    const [ada] = await adaAndBob(arrive);
    await ada.talk.composer.fill('very important');
    await ada.talk.composer.press('Control+a');
    await ada.talk.composer.press('Control+b');
    await eventually(() => ada.talk.composer.inputValue(), '**very important**');
    await ada.talk.composer.press('Control+b');
    await eventually(() => ada.talk.composer.inputValue(), 'very important');
    await ada.page.getByRole('button', { name: 'Formatting' }).click();
    const bar = ada.page.getByRole('toolbar', { name: 'Formatting' });
    await bar.getByRole('button', { name: 'Spoiler' }).click();
    await eventually(() => ada.talk.composer.inputValue(), '||very important||');
    await eventually(() => ada.talk.isInComposer(), true);
    await ada.talk.composer.press('Control+z');
    await eventually(() => ada.talk.composer.inputValue(), 'very important');
    // The bar stays as it was left.
    await ada.page.reload();
    await bar.waitFor();
  });

  story('cmd4_a_very_long_paste_is_counted_and_refused_with_nothing_lost', async ({ arrive }) => {
    const [ada] = await adaAndBob(arrive);
    await ada.talk.composer.fill(`${'line\n'.repeat(1_600)}x`);
    await ada.page.getByText('1 character too many').waitFor();
    await ada.talk.composer.press('Enter');
    await ada.seesProblem(/at most 8,000 characters/);
    await ada.talk.composer.press('Control+End');
    await ada.talk.composer.press('Backspace');
    await ada.page.getByText('0 characters left').waitFor();
  });
});
