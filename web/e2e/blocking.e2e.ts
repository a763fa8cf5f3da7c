import { randomBytes } from 'node:crypto';
import { afterAll, describe } from 'vitest';
import { eventually } from './stage/eventually.ts';
import { closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

describe('blocking', () => {
  story('cmd7_who_is_blocked_is_told_that_one_of_them_is_until_it_is_taken_back', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
    await ada.list.talkTo(bob);
    await ada.talk.write('Hello');
    await bob.list.open('Ada Lovelace');
    const second = await ada.anotherTab();
    await second.list.open('Bob');
    await Promise.all([bob.talk.seesTexts(['Hello']), second.talk.seesTexts(['Hello'])]);

    // Asked first, and left with nothing done.
    await ada.beside.opensProfile();
    await ada.beside.pane.getByRole('button', { name: 'Block Bob' }).press('Enter');
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await ada.talk.composer.waitFor();
    await ada.beside.blocks('Bob');
    await ada.beside.pane.getByRole('button', { name: 'Unblock Bob' }).waitFor();
    await ada.beside.closes();
    for (const page of [ada, second]) {
      await page.page.getByText('You have blocked Bob.').waitFor();
      await page.talk.composer.waitFor({ state: 'detached' });
    }

    await bob.talk.write('Are you there?');
    await bob.seesProblem('Not sent: One of you has blocked the other.');
    await bob.talk.seesMark('Not sent');

    // A page that is opened anew knows it from history.
    await second.page.reload();
    await second.page.getByText('You have blocked Bob.').waitFor();
    await second.talk.seesTexts(['Hello']);
    await second.page.locator('.blocked').getByRole('button', { name: 'Unblock Bob' }).press('Enter');
    await Promise.all([ada.talk.composer.waitFor(), second.talk.composer.waitFor()]);
    await eventually(() => second.talk.isInComposer(), true);

    await bob.page.getByRole('button', { name: 'Retry' }).click();
    await Promise.all([ada, second, bob].map((page) => page.talk.seesTexts(['Hello', 'Are you there?'])));
    await ada.talk.write('Now I am');
    await bob.talk.seesTexts(['Hello', 'Are you there?', 'Now I am']);
  });

  story('cmd7_in_a_room_what_a_blocked_person_says_is_folded_until_it_is_asked_for', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
    await ada.list.talkTo(bob);
    await ada.talk.write('Hello');
    await ada.beside.opensProfile();
    await ada.beside.blocks('Bob');
    await ada.beside.closes();
    await ada.page.getByText('You have blocked Bob.').waitFor();

    const name = `Engines ${randomBytes(3).toString('hex')}`;
    await bob.room.makes(name);
    await ada.room.joins(name);
    await bob.talk.write('Good morning');
    await ada.room.notices.getByText('Bob, whom you have blocked, said something.').waitFor();
    await ada.talk.seesTexts([]);
    await ada.room.notices.getByRole('button', { name: 'Show' }).press('Enter');
    await ada.talk.seesTexts(['Good morning']);
    await ada.page.reload();
    await ada.room.notices.getByRole('button', { name: 'Show' }).waitFor();
    await ada.list.row(name).getByText('Bob: (blocked)').waitFor();
  });
});
