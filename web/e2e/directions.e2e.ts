/** No language of the page runs from right to left yet: what one needs of the page is there before it. */
import type { Locator } from 'playwright-core';
import { afterAll, describe, expect } from 'vitest';
import { eventually } from './stage/eventually.ts';
import type { Person } from './stage/person.ts';
import { closeBrowser, story } from './stage/story.ts';

afterAll(closeBrowser);

const turns = ({ page }: Person, direction: 'ltr' | 'rtl') =>
  page.evaluate((dir) => {
    document.documentElement.dir = dir;
  }, direction);
const focused = ({ page }: Person) =>
  page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');
const middleOf = async (thing: Locator) => {
  const box = await thing.boundingBox();
  return box === null ? Number.NaN : box.x + box.width / 2;
};

describe('from right to left', () => {
  story('arrow_keys_lead_to_where_they_point', async ({ arrive }) => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
    await ada.list.talkTo(bob);
    await ada.page.getByRole('button', { name: 'Formatting' }).click();
    const bar = ada.page.getByRole('toolbar', { name: 'Formatting' });
    for (const [direction, key] of [
      ['ltr', 'ArrowRight'],
      ['rtl', 'ArrowLeft'],
    ] as const) {
      await turns(ada, direction);
      const before = bar.getByRole('button', { name: 'Bold' });
      await before.focus();
      await before.press(key);
      await eventually(() => focused(ada), 'Italics');
      const by = (await middleOf(bar.getByRole('button', { name: 'Italics' }))) - (await middleOf(before));
      expect(Math.sign(by)).toBe(direction === 'ltr' ? 1 : -1);
    }
    await ada.page.getByRole('button', { name: 'Emoji', exact: true }).press('Enter');
    await ada.page.getByRole('gridcell').first().waitFor();
    await ada.page.keyboard.press('ArrowDown');
    await eventually(() => focused(ada), 'grinning face');
    await ada.page.keyboard.press('ArrowLeft');
    await eventually(() => focused(ada), 'grinning face with big eyes');
  });

  story(
    'what_points_somewhere_points_the_other_way_and_a_handle_begins_with_its_sign',
    async ({ arrive }) => {
      const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
      await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
      await ada.list.talkTo(bob);
      await bob.list.talkTo(ada);
      await bob.talk.write(`Hello @${ada.handle}, come and see`);
      await ada.page.locator('.mention').waitFor();
      const arrow = ada.page.getByRole('button', { name: 'Send', exact: true }).locator('svg');
      const mirrored = () => arrow.evaluate((icon) => new DOMMatrix(getComputedStyle(icon).transform).a);
      expect(await mirrored()).toBe(1);
      await turns(ada, 'rtl');
      expect(await mirrored()).toBe(-1);
      // The list stands at the right, and the line of messages ends at the left.
      const list = await middleOf(ada.page.getByRole('navigation', { name: 'Conversations' }));
      expect(list).toBeGreaterThan(await middleOf(ada.page.getByRole('log')));
      for (const handle of [ada.page.locator('.mention'), ada.page.locator('.me-names span').last()]) {
        const [sign, name] = await handle.evaluate((element) => {
          const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
          const at: number[] = [];
          while (texts.nextNode() !== null)
            for (let n = 0; n < (texts.currentNode.nodeValue ?? '').length; n += 1) {
              const range = document.createRange();
              range.setStart(texts.currentNode, n);
              range.setEnd(texts.currentNode, n + 1);
              at.push(range.getBoundingClientRect().left);
            }
          return at;
        });
        expect(sign).toBeLessThan(name ?? Number.NaN);
      }
    },
  );
});
