import type { Locator } from 'playwright-core';
import type { Named, Person } from '../person.ts';

/** The list of conversations, and the ways from it into one. */
export class List {
  readonly #person: Person;

  constructor(person: Person) {
    this.#person = person;
  }

  row(name: string): Locator {
    return this.#person.page
      .getByRole('navigation', { name: 'Conversations' })
      .getByRole('link')
      .filter({ hasText: name });
  }

  async open(name: string): Promise<void> {
    await this.row(name).click();
    await this.#person.talk.composer.waitFor();
  }

  /** Finds people by handle and opens the conversation with them. */
  async talkTo(...others: Person[]): Promise<void> {
    const { page, talk } = this.#person;
    await page.getByRole('button', { name: 'New conversation' }).click();
    await this.chooses(...others);
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Start/ })
      .click();
    await talk.composer.waitFor();
  }

  /** Finds people in the dialog that is open, and puts them on its list. */
  async chooses(...others: Named[]): Promise<void> {
    const { page } = this.#person;
    for (const { handle } of others) {
      await page.getByRole('searchbox', { name: 'Find people' }).fill(handle);
      await page.getByRole('list', { name: 'People' }).getByText(`@${handle}`).click();
    }
  }

  /** Chooses from the menu of a row, by the keyboard. */
  async does(name: string, option: string): Promise<void> {
    const { page } = this.#person;
    await page.getByRole('button', { name: `Options of ${name}` }).press('Enter');
    const menu = page.getByRole('group', { name: `Options of ${name}` });
    await menu.getByRole('button', { name: option, exact: true }).press('Enter');
    await menu.waitFor({ state: 'detached' });
  }

  /** The head of a section, which opens and closes it. */
  section(name: string): Locator {
    return this.#nav.getByRole('heading', { name }).getByRole('button');
  }

  /** The sections that are there, with the names of the rows that one sees in each. */
  sections(): Promise<Record<string, string[]>> {
    return this.#nav.locator('.list-section').evaluateAll((sections) => {
      const texts = (of: Element, which: string) =>
        [...of.querySelectorAll(which)].map(({ textContent }) => textContent ?? '');
      return Object.fromEntries(
        sections.map((section) => [texts(section, '.section-name')[0] ?? '', texts(section, '.row-title')]),
      );
    });
  }

  get filter(): Locator {
    return this.#nav.getByRole('searchbox', { name: 'Search' });
  }

  get #nav(): Locator {
    return this.#person.page.getByRole('navigation', { name: 'Conversations' });
  }
}
