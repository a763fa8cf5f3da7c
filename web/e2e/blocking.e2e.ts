import { randomBytes } from 'node:crypto';
import { afterAll, describe } from 'vitest';
import { eventually } from './stage/eventually.ts';
import { closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

describe('blocking', () => {
  story('cmd7_who_is_blocked_is_told_that_one_of_them_is_until_it_is_taken_back', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.register('Ada Lovelace'), bob.register('Bob')]);
    await ada.talkTo(bob);
    await ada.write('Hello');
    await bob.openFromList('Ada Lovelace');
    const second = await ada.anotherTab();
    await second.openFromList('Bob');
    await Promise.all([bob.seesTexts(['Hello']), second.seesTexts(['Hello'])]);

    // Asked first, and left with nothing done.
    await ada.head.getByRole('button', { name: 'Block Bob' }).press('Enter');
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await ada.composer.waitFor();
    await ada.head.getByRole('button', { name: 'Block Bob' }).press('Enter');
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Block' }).click();
    for (const page of [ada, second]) {
      await page.page.getByText('You have blocked Bob.').waitFor();
      await page.composer.waitFor({ state: 'detached' });
      await page.head.getByRole('button', { name: 'Unblock Bob' }).waitFor();
    }

    await bob.write('Are you there?');
    await bob.seesProblem('Not sent: One of you has blocked the other.');
    await bob.seesMark('Not sent');

    // A page that is opened anew knows it from history.
    await second.page.reload();
    await second.page.getByText('You have blocked Bob.').waitFor();
    await second.seesTexts(['Hello']);
    await second.page.locator('.blocked').getByRole('button', { name: 'Unblock Bob' }).press('Enter');
    await Promise.all([ada.composer.waitFor(), second.composer.waitFor()]);
    await eventually(() => second.isInComposer(), true);

    await bob.page.getByRole('button', { name: 'Retry' }).click();
    await Promise.all([ada, second, bob].map((page) => page.seesTexts(['Hello', 'Are you there?'])));
    await ada.write('Now I am');
    await bob.seesTexts(['Hello', 'Are you there?', 'Now I am']);
  });

  story('cmd7_in_a_room_what_a_blocked_person_says_is_folded_until_it_is_asked_for', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.register('Ada Lovelace'), bob.register('Bob')]);
    await ada.talkTo(bob);
    await ada.write('Hello');
    await ada.head.getByRole('button', { name: 'Block Bob' }).press('Enter');
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Block' }).click();
    await ada.page.getByText('You have blocked Bob.').waitFor();

    const name = `Engines ${randomBytes(3).toString('hex')}`;
    await bob.makesRoom(name);
    await ada.joinsRoom(name);
    await bob.write('Good morning');
    await ada.notices.getByText('Bob, whom you have blocked, said something.').waitFor();
    await ada.seesTexts([]);
    await ada.notices.getByRole('button', { name: 'Show' }).press('Enter');
    await ada.seesTexts(['Good morning']);
    await ada.page.reload();
    await ada.notices.getByRole('button', { name: 'Show' }).waitFor();
    await ada.row(name).getByText('Bob: (blocked)').waitFor();
  });
});
