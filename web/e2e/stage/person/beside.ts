import type { Locator } from 'playwright-core';
import type { Named, Person } from '../person.ts';
import { Talk } from './talk.ts';

/** What stands beside the conversation: who is in it, what it is, and who somebody is. */
export class Beside {
  readonly #person: Person;

  constructor(person: Person) {
    this.#person = person;
  }

  get pane(): Locator {
    return this.#person.page.locator('.side-pane');
  }

  async opensPeople(): Promise<void> {
    await this.#opens(/show who/, 'People');
  }

  async opensDetails(): Promise<void> {
    await this.#opens('Details', 'Details');
  }

  /** Of the other one of a conversation of two. */
  async opensProfile(): Promise<void> {
    await this.#opens(/^Profile of/, 'Profile');
  }

  async opens(name: 'Search' | 'Threads'): Promise<void> {
    await this.#opens(name, name);
  }

  /** The thread that is open. */
  get thread(): Talk {
    return new Talk(this.#person, this.pane, 'Reply');
  }

  /** Below the head of the conversation, where something is pinned in it. */
  get pins(): Locator {
    return this.#person.page.locator('.pins-bar');
  }

  /** A message in a list of messages, by what it says. */
  listed(list: string, text: string): Locator {
    return this.pane
      .getByRole('list', { name: list })
      .locator('.listed')
      .filter({ has: this.#person.page.locator('.listed-text').getByText(text, { exact: true }) });
  }

  /** What the messages of such a list say. */
  texts(list: string): Promise<string[]> {
    return this.pane.getByRole('list', { name: list }).locator('.listed-text').allTextContents();
  }

  async looksFor(words: string): Promise<void> {
    await this.pane.getByRole('searchbox', { name: 'Search for words' }).fill(words);
  }

  async closes(): Promise<void> {
    await this.pane.getByRole('button', { name: 'Close', exact: true }).press('Enter');
    await this.pane.waitFor({ state: 'detached' });
  }

  /** The people of a role (`Owners`, `Moderators`, `Members`) or the `Banned people`, by their handles. */
  people(group: string): Promise<string[]> {
    return this.pane
      .getByRole('list', { name: group })
      .locator('[data-user]')
      .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-user') ?? ''));
  }

  member({ handle }: Named): Locator {
    return this.pane.locator(`[data-user="${handle}"]`);
  }

  /** What can be done with somebody, by name. */
  async deedsOn(other: Named): Promise<string[]> {
    const page = this.#person.page;
    await this.member(other).getByRole('button', { name: 'What you can do with' }).press('Enter');
    const deeds = await page.locator('.popover .menu-item').allTextContents();
    await page.keyboard.press('Escape');
    await page.locator('.popover').waitFor({ state: 'detached' });
    return deeds;
  }

  /** Chooses one of them, by the keyboard; says yes where it is asked. */
  async does(deed: string, other: Named, sure?: string): Promise<void> {
    const { page } = this.#person;
    await this.member(other).getByRole('button', { name: 'What you can do with' }).press('Enter');
    await page.locator('.popover').getByRole('button', { name: deed, exact: true }).press('Enter');
    if (sure !== undefined)
      await page.getByRole('dialog').getByRole('button', { name: sure, exact: true }).press('Enter');
  }

  /** Adds these people to the room whose people are shown. */
  async adds(...others: Named[]): Promise<void> {
    const { page } = this.#person;
    await this.pane.getByRole('button', { name: 'Add people' }).press('Enter');
    await this.#person.list.chooses(...others);
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Add \d/ })
      .press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  }

  async blocks(name: string): Promise<void> {
    await this.pane.getByRole('button', { name: `Block ${name}` }).press('Enter');
    await this.#person.page.getByRole('dialog').getByRole('button', { name: 'Block' }).click();
  }

  /** On a phone the ways to most of it are in the menu of the conversation. */
  async #opens(button: string | RegExp, title: string): Promise<void> {
    const { head } = this.#person.talk;
    const way = head.getByRole('button', { name: button });
    const options = head.getByRole('button', { name: 'Options of this conversation' });
    await way.or(options).first().waitFor();
    if ((await way.count()) === 0) await options.press('Enter');
    await way.press('Enter');
    await this.pane.getByRole('heading', { name: title, exact: true }).waitFor();
  }
}
