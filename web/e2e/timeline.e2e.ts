import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Api } from './stage/api.ts';
import { eventually } from './stage/eventually.ts';
import { hasFocus } from './stage/focus.ts';
import { listen } from './stage/heard.ts';
import { Natter } from './stage/natter.ts';
import type { Person } from './stage/person.ts';
import { type Arrive, closeBrowser, story } from './stage/story.ts';

/** Of a Natter that lets one person say a long conversation in a moment. */
const LIMITS = ['messages', 'commands', 'queries'].flatMap((limit) => [`--max-${limit}`, '1000000']);

let natter: Natter;

beforeAll(async () => {
  natter = await Natter.start('timeline', LIMITS);
});

afterAll(async () => {
  await closeBrowser();
  await natter.end();
});

/** A direct conversation in which Bob has said so many lines, each with its number. */
async function manyLines(arrive: Arrive, count: number): Promise<{ ada: Person; bob: Person; of: Said }> {
  const [ada, bob] = await Promise.all([arrive('ada', natter.url), arrive('bob', natter.url)]);
  await Promise.all([ada.account.register('Ada'), bob.account.register('Bob')]);
  const api = await Api.of(bob, natter.url);
  const of = await say(api, { participants: [ada.handle, bob.handle] }, 1, count);
  return { ada, bob, of };
}

interface Said {
  conversation: string;
  /** The seq of line 1, 2 … */
  seqs: number[];
}

async function say(api: Api, to: object, from: number, upTo: number): Promise<Said> {
  const said: Said = { conversation: '', seqs: [] };
  for (let n = from; n <= upTo; n += 1) {
    // Some are longer than one line of the screen.
    const text = `Line ${n}${' goes on and on'.repeat(n % 7 === 0 ? 20 : 0)}`;
    const ok = await api.command('POST', '/api/messages', { to, text });
    said.conversation = String(ok.conversation);
    said.seqs.push(Number(ok.seq));
  }
  return said;
}

const line = (person: Person, n: number) =>
  person.talk.lines.filter({ has: person.page.getByText(new RegExp(`^Line ${n}( goes|$)`)) });

function isInSight(person: Person, n: number): Promise<boolean> {
  return person.page.evaluate(
    ([text]) => {
      const log = document.querySelector('[role=log]')?.getBoundingClientRect();
      return [...document.querySelectorAll('[role=log] .line')].some((item) => {
        const { top, bottom } = item.getBoundingClientRect();
        const said = item.querySelector('.text')?.textContent ?? '';
        return (
          log !== undefined &&
          new RegExp(`^${text}( goes|$)`).test(said) &&
          // Places are scrolled to by whole pixels.
          top > log.top - 1 &&
          bottom < log.bottom + 1
        );
      });
    },
    [`Line ${n}`],
  );
}

describe('a long conversation', () => {
  story('opens_where_the_new_ones_begin_and_leads_to_the_newest', async ({ arrive }) => {
    const { ada, of } = await manyLines(arrive, 130);
    expect(of.seqs.length).toBe(130);
    await ada.list.open('Bob');
    await ada.page.locator('.new-line').waitFor();
    await eventually(() => isInSight(ada, 1), true);
    expect(await isInSight(ada, 130)).toBe(false);
    await ada.page.getByRole('button', { name: /^Newest messages \(\d+ new\)$/ }).click();
    await eventually(() => isInSight(ada, 130), true);
    await ada.list.row('Bob').locator('.badge').waitFor({ state: 'detached' });
  });

  story('evt1_nothing_is_read_under_a_pane_that_covers_it_and_it_stays_where_it_was', async ({ arrive }) => {
    const { ada, bob, of } = await manyLines(arrive, 60);
    await ada.page.setViewportSize({ width: 900, height: 700 });
    await ada.list.open('Bob');
    await eventually(() => isInSight(ada, 1), true);
    await ada.beside.opens('Search');
    await ada.beside.closes();
    await eventually(() => isInSight(ada, 1), true);
    await ada.page.getByRole('button', { name: /^Newest messages \(\d+ new\)$/ }).click();
    await eventually(() => isInSight(ada, 60), true);
    const badge = ada.list.row('Bob').locator('.badge');
    await badge.waitFor({ state: 'detached' });

    // At the end, too, what comes while something lies over it is new.
    await ada.beside.opens('Search');
    await say(await Api.of(bob, natter.url), { conversation: of.conversation }, 61, 61);
    await badge.filter({ hasText: /^1\b/ }).waitFor();
    await bob.list.open('Ada');
    await bob.talk.seesMark('Delivered');
    await ada.beside.closes();
    await eventually(() => isInSight(ada, 61), true);
    await badge.waitFor({ state: 'detached' });
    await bob.talk.seesMark('Read');
  });

  story('older_ones_come_and_what_one_looks_at_stays', async ({ arrive }) => {
    const { ada } = await manyLines(arrive, 180);
    await ada.list.open('Bob');
    await ada.page.getByRole('button', { name: /^Newest messages/ }).click();
    await eventually(() => isInSight(ada, 180), true);
    await ada.page.reload();
    await eventually(() => isInSight(ada, 180), true);
    await ada.page.getByRole('log').hover();
    const asked: string[] = [];
    ada.page.on('response', (response) => {
      if (response.url().includes('before=')) asked.push(response.url());
    });
    let furthest = 0;
    const scrolled = () => ada.page.getByRole('log').evaluate(({ scrollTop }) => scrollTop);
    for (let turn = 0; turn < 200 && !(await isInSight(ada, 1)); turn += 1) {
      const before = await scrolled();
      await ada.page.mouse.wheel(0, -250);
      furthest = Math.max(furthest, await ada.page.evaluate(watchMiddle, before));
    }
    expect(asked.length).toBeGreaterThan(1);
    expect(await isInSight(ada, 1)).toBe(true);
    expect(furthest).toBeLessThanOrEqual(2);
  });

  story('a_date_leads_to_what_was_said_then', async ({ arrive }) => {
    const { ada } = await manyLines(arrive, 90);
    await ada.list.open('Bob');
    const jump = ada.page.getByRole('button', { name: /jump to a date$/ });
    await ada.page.getByRole('button', { name: /^Newest messages/ }).click();
    await eventually(() => isInSight(ada, 90), true);
    await jump.press('Enter');
    await ada.page.getByRole('button', { name: 'First message' }).click();
    await eventually(() => isInSight(ada, 1), true);
    await ada.page.getByRole('button', { name: /^Newest messages/ }).click();
    await eventually(() => isInSight(ada, 90), true);
    await jump.press('Enter');
    await ada.page.getByRole('textbox', { name: 'Date' }).fill('2020-02-29');
    await ada.page.getByRole('button', { name: 'Show' }).click();
    await eventually(() => isInSight(ada, 1), true);
  });

  story('the_floating_date_is_away_where_the_day_says_so_itself', async ({ arrive }) => {
    const { ada } = await manyLines(arrive, 60);
    await ada.list.open('Bob');
    const date = ada.page.getByRole('button', { name: /jump to a date$/ });
    const isShown = () => date.evaluate((button) => button.checkVisibility({ opacityProperty: true }));
    await ada.page.getByRole('log').press('Home');
    await eventually(() => isInSight(ada, 1), true);
    await ada.page.getByRole('log').evaluate((log) => {
      log.scrollTop = 0;
    });
    await eventually(isShown, false);
    // The day's line is out of its way now.
    await ada.page.getByRole('log').evaluate((log) => {
      log.scrollTop = 200;
    });
    await eventually(isShown, true);
  });

  story('a_link_to_a_message_leads_a_member_there_and_nobody_else', async ({ arrive }) => {
    const { ada, bob, of } = await manyLines(arrive, 120);
    await bob.list.open('Ada');
    await eventually(() => isInSight(bob, 120), true);
    await bob.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await line(bob, 118).focus();
    await line(bob, 118).press('l');
    await bob.page.getByText('Link copied').waitFor();
    const copied = await bob.page.evaluate(() => navigator.clipboard.readText());
    expect(copied).toContain(`#/c/${of.conversation}/${of.seqs[117]}`);

    const hash = `#/c/${of.conversation}/${of.seqs[4]}`;
    const follow = (to: string) =>
      ada.page.evaluate((address) => {
        location.hash = address;
      }, to);
    await follow(hash);
    await eventually(() => isInSight(ada, 5), true);
    await ada.page.locator('.line.lit').waitFor();
    await hasFocus(line(ada, 5));
    await eventually(() => ada.page.evaluate(() => location.hash), `#/@${bob.handle}`);

    // Who is writing goes on writing, on the message the letters would be shortcuts; and so does who went elsewhere by then.
    const newest = async () => {
      await ada.page.getByRole('button', { name: /^Newest messages/ }).click();
      await eventually(() => isInSight(ada, 120), true);
    };
    await newest();
    await ada.talk.composer.fill('Wait, ');
    await follow(hash);
    await eventually(() => isInSight(ada, 5), true);
    await ada.page.keyboard.type('prego');
    await eventually(() => ada.talk.composer.inputValue(), 'Wait, prego');
    await ada.talk.composer.fill('');
    await newest();
    await ada.page.reload();
    await eventually(() => isInSight(ada, 120), true);
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await ada.page.route('**/history/**around=*', async (route) => {
      await held;
      await route.continue();
    });
    const asked = ada.page.waitForRequest(/around=/);
    await follow(hash);
    await asked;
    await ada.list.filter.focus();
    letGo();
    await eventually(() => isInSight(ada, 5), true);
    await hasFocus(ada.list.filter);

    const heard = await listen(ada.page);
    await follow(`#/c/${of.conversation}/999999`);
    const missing = 'That message is not here any more. This is what was said around it.';
    await eventually(async () => (await heard()).at(-1), missing);

    const carol = await arrive('carol', natter.url, { hash });
    carol.expectsFault(/40[34]/);
    await carol.account.register('Carol');
    await carol.page.getByText('This conversation is not there, or you are not in it.').waitFor();
  });

  story('a_quote_leads_to_what_it_answers', async ({ arrive }) => {
    const { ada, bob, of } = await manyLines(arrive, 110);
    const api = await Api.of(bob, natter.url);
    await api.command('POST', '/api/messages', {
      to: { conversation: of.conversation },
      text: 'As I said',
      reply_to: of.seqs[9],
    });
    await ada.list.open('Bob');
    await ada.page.getByRole('button', { name: /^Newest messages/ }).click();
    await ada.talk.lines
      .last()
      .getByRole('button', { name: /Line 10/ })
      .click();
    await eventually(() => isInSight(ada, 10), true);
    await ada.page.locator('.line.lit').waitFor();
  });

  story('the_keyboard_goes_from_message_to_message', async ({ arrive }) => {
    const { ada } = await manyLines(arrive, 30);
    await ada.list.open('Bob');
    await eventually(() => isInSight(ada, 1), true);
    const log = ada.page.getByRole('log');
    const said = () =>
      ada.page.evaluate(() => document.activeElement?.querySelector('.text')?.textContent?.slice(0, 8) ?? '');
    await log.press('End');
    await eventually(() => isInSight(ada, 30), true);
    await log.press('ArrowUp');
    await eventually(said, 'Line 30');
    for (let n = 0; n < 20; n += 1) await ada.page.keyboard.press('k');
    await eventually(said, 'Line 10');
    await eventually(() => isInSight(ada, 10), true);
    await ada.page.keyboard.press('j');
    await eventually(said, 'Line 11');
    await ada.page.keyboard.press('.');
    await ada.page.getByRole('group', { name: 'Message actions' }).waitFor();
    await ada.page.keyboard.press('Escape');
    await ada.page.getByRole('group', { name: 'Message actions' }).waitFor({ state: 'detached' });
    await line(ada, 11).focus();
    await ada.page.keyboard.press('r');
    await eventually(() => ada.talk.isInComposer(), true);
    await log.focus();
    await ada.page.keyboard.press('Escape');
    await eventually(() => ada.talk.isInComposer(), true);
  });
});

/** In the page: how far the line in the middle moves after the wheel has been carried out, over 11 frames. */
function watchMiddle(before: number): Promise<number> {
  const log = document.querySelector('[role=log]');
  const box = log?.getBoundingClientRect();
  const found = document
    .elementsFromPoint((box?.left ?? 0) + (box?.width ?? 0) / 2, (box?.top ?? 0) + (box?.height ?? 0) / 2)
    .map((element) => element.closest('.line'))
    .find((item) => item !== null);
  const top = () => found?.getBoundingClientRect().top ?? Number.NaN;
  return new Promise((done) => {
    let [settled, furthest, frames] = [top(), 0, 0];
    const look = () => {
      // A busy browser carries it out some frames later.
      if (frames > 0 || before === 0 || log?.scrollTop !== before) frames += 1;
      if (frames <= 4) settled = top();
      furthest = Math.max(furthest, Math.abs(top() - settled));
      if (frames < 15) requestAnimationFrame(look);
      else done(furthest);
    };
    requestAnimationFrame(look);
  });
}
