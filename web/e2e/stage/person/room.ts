import type { Locator } from 'playwright-core';
import type { Person } from '../person.ts';

/** Rooms: made, found, and the one that is open. */
export class Room {
  readonly #person: Person;

  constructor(person: Person) {
    this.#person = person;
  }

  /** Makes a room, and is in it. */
  async makes(name: string, kind: 'Public' | 'Private' = 'Public'): Promise<void> {
    await this.#page.getByRole('link', { name: 'Find rooms' }).click();
    await this.#page.getByRole('button', { name: 'New room' }).first().click();
    await this.#page.getByRole('dialog').getByRole('textbox', { name: 'Name', exact: true }).fill(name);
    await this.#page.getByRole('radio', { name: kind }).check();
    await this.#page.getByRole('button', { name: 'Make it' }).click();
    await this.#isOpen(name);
  }

  /** Finds a public room by its name, and joins it. */
  async joins(name: string): Promise<void> {
    await this.#page.getByRole('link', { name: 'Find rooms' }).click();
    await this.#page.getByRole('searchbox', { name: 'Name or topic' }).fill(name);
    // By key: the list may still move below a pointer while it is narrowed down.
    await this.#page.getByRole('button', { name: `Join ${name}` }).press('Enter');
    await this.#isOpen(name);
  }

  /** Leaves the one that is open. */
  async leaves(name: string): Promise<void> {
    await this.#person.beside.opensDetails();
    await this.#person.beside.pane.getByRole('button', { name: `Leave ${name}` }).press('Enter');
    await this.#page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
  }

  /** The room that is open, as its address names it. */
  get id(): string {
    return /#\/room\/([0-9a-f-]{36})/.exec(this.#page.url())?.[1] ?? '';
  }

  /** The small lines that say who came and went. */
  get notices(): Locator {
    return this.#page.getByRole('log').locator('.notice');
  }

  get #page() {
    return this.#person.page;
  }

  async #isOpen(name: string): Promise<void> {
    const { head, composer } = this.#person.talk;
    await head.getByRole('heading', { name }).waitFor();
    await composer.waitFor();
  }
}
