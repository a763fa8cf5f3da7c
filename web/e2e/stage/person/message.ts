import type { Locator } from 'playwright-core';
import { eventually } from '../eventually.ts';
import type { Person } from '../person.ts';

/** Single messages, found by their text: what is done to them, and what they show. */
export class Message {
  readonly #person: Person;

  constructor(person: Person) {
    this.#person = person;
  }

  /** The line with this text. */
  line(text: string): Locator {
    const exactly = this.#person.page.locator('.text').getByText(text, { exact: true });
    return this.#person.talk.lines.filter({ has: exactly });
  }

  actions(text: string): Locator {
    return this.line(text).getByRole('button', { name: 'Actions for' });
  }

  /** What can be done to a message, by name. */
  async offers(text: string): Promise<string[]> {
    await this.actions(text).press('Enter');
    await this.line(text).locator('.menu-item').first().waitFor();
    const names = await this.line(text).locator('.menu-item').allTextContents();
    await this.#person.page.keyboard.press('Escape');
    await this.line(text).locator('.menu-item').first().waitFor({ state: 'detached' });
    return names;
  }

  /** The way into its thread, which says how much was said there. */
  replies(text: string, count: string): Locator {
    return this.line(text).getByRole('button').filter({ hasText: count });
  }

  /** Chooses one of the actions of a message, by the keyboard. */
  async acts(text: string, action: string): Promise<void> {
    await this.actions(text).press('Enter');
    await this.line(text).getByRole('button', { name: action, exact: true }).press('Enter');
  }

  /** Replaces the text that is being edited. */
  async says(text: string): Promise<void> {
    await this.editField.fill(text);
    await this.editField.press('Enter');
    await this.editField.waitFor({ state: 'detached' });
  }

  reaction(text: string, emoji: string): Locator {
    return this.line(text).getByRole('list', { name: 'Reactions' }).getByRole('button', { name: emoji });
  }

  async seesReactions(text: string, reactions: readonly string[]): Promise<void> {
    const shown = () =>
      this.#reactions(text).evaluateAll((buttons) =>
        buttons.map((button) => button.getAttribute('aria-label') ?? ''),
      );
    await eventually(shown, [...reactions]);
  }

  get editField(): Locator {
    return this.#person.page.getByRole('textbox', { name: 'New text' });
  }

  #reactions(text: string): Locator {
    return this.line(text).getByRole('list', { name: 'Reactions' }).getByRole('button');
  }
}
