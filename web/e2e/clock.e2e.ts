import { afterAll, describe, expect } from 'vitest';
import { eventually } from './stage/eventually.ts';
import type { Person } from './stage/person.ts';
import { closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

const HOUR_MS = 3_600_000;

/** What stands beside the lines: the days, and when each was said. */
function times({ page }: Person): Promise<string[]> {
  return page.getByRole('log').locator('time').allTextContents();
}

describe('a clock that is put right while the page is open', () => {
  for (const [how, hours] of [
    ['back', 30],
    ['forward', -30],
  ] as const) {
    story(`cmd2_${how}_holds_nothing_up`, async ({ arrive, door }) => {
      const cable = await door();
      const [ada, bob] = await Promise.all([
        arrive('ada', cable.url, { clockAheadMs: hours * HOUR_MS }),
        arrive('bob'),
      ]);
      await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
      await ada.list.talkTo(bob);
      await ada.talk.write('one');
      await bob.list.open('Ada Lovelace');
      await bob.talk.seesTexts(['one']);
      await bob.talk.composer.pressSequentially('two');
      await ada.talk.typing.getByText('Bob is typing…').waitFor();
      await ada.setsTheClock(0);
      expect(await ada.page.evaluate(() => Math.abs(Date.now() - performance.timeOrigin) < 3_600_000)).toBe(
        true,
      );
      // Whoever stops typing is believed for no longer than before.
      await eventually(() => ada.talk.typing.textContent(), '');
      if (how === 'forward') {
        // To this page its pings are overdue now, so that it connects anew: here at once, not while somebody types.
        await ada.page.evaluate(() => window.dispatchEvent(new Event('online')));
        await eventually(() => ada.sessions.length, 2);
        await ada.seesNoBanner();
      }
      await bob.talk.composer.press('Enter');
      await ada.talk.seesTexts(['one', 'two']);
      await ada.talk.composer.pressSequentially('three');
      await bob.talk.typing.getByText('Ada Lovelace is typing…').waitFor();
      await ada.talk.composer.press('Enter');
      await ada.goOffline(cable);
      await ada.talk.write('four');
      await ada.comeBack(cable);
      const texts = ['one', 'two', 'three', 'four'];
      await Promise.all([ada, bob].map(({ talk }) => talk.seesTexts(texts)));
      await ada.talk.seesMark('Read');
      expect(await times(ada)).toEqual(await times(bob));
    });
  }
});

describe('clocks that are wrong', () => {
  for (const [how, hours] of [
    ['ahead', 30],
    ['behind', -30],
  ] as const) {
    story(`cmd2_hours_${how}_what_is_said_keeps_its_order_and_its_time`, async ({ arrive, door }) => {
      const cable = await door();
      const [ada, bob] = await Promise.all([
        arrive('ada', cable.url, { clockAheadMs: hours * HOUR_MS }),
        arrive('bob'),
      ]);
      const wrong = await ada.page.evaluate(() => Date.now());
      expect(Math.round((wrong - Date.now()) / HOUR_MS)).toBe(hours);
      await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);

      await ada.list.talkTo(bob);
      await ada.talk.write('one');
      await bob.list.open('Ada Lovelace');
      await bob.talk.write('two');
      await ada.talk.seesTexts(['one', 'two']);
      await ada.talk.write('three');
      await bob.talk.seesTexts(['one', 'two', 'three']);
      await ada.goOffline(cable);
      await ada.talk.write('five, by then');
      await bob.talk.write('four');
      await bob.talk.seesMark('Sent');
      await ada.comeBack(cable);
      const texts = ['one', 'two', 'three', 'four', 'five, by then'];
      await Promise.all([ada, bob].map(({ talk }) => talk.seesTexts(texts)));
      await ada.talk.seesMark('Read');
      // The days and times are those of everybody else, not those of this clock.
      await eventually(() => times(ada), await times(bob));
      expect(await times(ada)).toContain('Today');

      await bob.talk.composer.pressSequentially('Well');
      await ada.talk.typing.getByText('Bob is typing…').waitFor();
      await bob.talk.composer.press('Enter');
      await eventually(() => ada.talk.typing.textContent(), '');
      await bob.page.goto('about:blank');
      await ada.talk.head.getByText('Last seen just now').waitFor();
      await ada.page.reload();
      await ada.talk.seesTexts([...texts, 'Well']);
      // What the last page knew is there before the server has said what time it is.
      await eventually(async () => (await times(ada)).includes('Today'), true);

      // When it was edited, and the way to a day, are those of everybody else, too.
      await ada.message.acts('three', 'Edit');
      await ada.message.says('third');
      await bob.page.goBack();
      await bob.message.line('third').waitFor();
      const edited = ({ message }: Person) => message.line('third').locator('.edited').getAttribute('title');
      await eventually(() => edited(ada), await edited(bob));
      await ada.page.getByRole('button', { name: /^Today: jump to a date$/ }).press('Enter');
      const day = ada.page.getByRole('textbox', { name: 'Date' });
      expect(await day.getAttribute('max')).toBe(await day.inputValue());
      await ada.page.getByRole('button', { name: 'Show', exact: true }).click();
      await day.waitFor({ state: 'detached' });
      await ada.talk.seesTexts(['one', 'two', 'third', 'four', 'five, by then', 'Well']);
      expect(await ada.page.getByRole('main').getByRole('alert').count()).toBe(0);
    });
  }
});
