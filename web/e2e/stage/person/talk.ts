import type { Locator } from 'playwright-core';
import { eventually } from '../eventually.ts';
import type { Person } from '../person.ts';

/** The conversation that is open, or a thread beside it: what is written in it, and what it shows. */
export class Talk {
  readonly #person: Person;
  readonly #pane: Locator | null;
  readonly #field: string;

  constructor(person: Person, pane: Locator | null = null, field = 'Message') {
    this.#person = person;
    this.#pane = pane;
    this.#field = field;
  }

  /** Opens the conversation by its address, as from a bookmark. */
  async goTo(handle: string): Promise<void> {
    await this.#page.evaluate((hash) => {
      location.hash = hash;
    }, `#/@${handle}`);
    await this.composer.waitFor();
  }

  async close(): Promise<void> {
    await this.#page.evaluate(() => {
      location.hash = '#/';
    });
    await this.composer.waitFor({ state: 'detached' });
  }

  async write(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
    await eventually(() => this.composer.inputValue(), '');
  }

  /** The lines of the conversation: exactly these, in this order, each once. */
  async seesTexts(texts: readonly string[]): Promise<void> {
    await eventually(() => this.texts(), [...texts]);
  }

  texts(): Promise<string[]> {
    return this.lines.locator('.text').allTextContents();
  }

  /** Sending, Waiting to be sent, Not sent, Sent, Delivered or Read, at the newest line, or at the one that says this. */
  async seesMark(mark: string, text?: string): Promise<void> {
    const line =
      text === undefined
        ? this.lines.last()
        : this.lines.filter({ has: this.#page.getByText(text, { exact: true }) });
    await eventually(() => marksOf(line), [mark]);
  }

  /** The lines with their marks: one's own have one each. */
  async seesLines(lines: readonly string[]): Promise<void> {
    const told = async () => {
      const all = await this.lines.all();
      return Promise.all(
        all.map(async (line) =>
          [await line.locator('.text').textContent(), ...(await marksOf(line))].join(': '),
        ),
      );
    };
    await eventually(told, [...lines]);
  }

  /** That what waits is on the disk: a page that is closed before loses it. */
  async hasKept(texts: readonly string[]): Promise<void> {
    await eventually(async () => (await this.#kept()).map(({ text }) => text), [...texts]);
  }

  /** The same of all that a person can do: `send`, `edit`, `delete`, `react`. */
  async hasKeptDeeds(kinds: readonly string[]): Promise<void> {
    await eventually(async () => (await this.#kept()).map(({ kind }) => kind), [...kinds]);
  }

  isInComposer(): Promise<boolean> {
    return this.composer.evaluate((field) => field === document.activeElement);
  }

  get composer(): Locator {
    return this.#place.getByRole('textbox', { name: this.#field, exact: true });
  }

  get head(): Locator {
    return this.#page.locator('.conversation-head');
  }

  get lines(): Locator {
    return this.#place.getByRole('log').locator('.line');
  }

  get typing(): Locator {
    return this.#page.getByRole('status', { name: 'Typing' });
  }

  get #place(): Locator {
    return this.#pane ?? this.#page.locator('.pane');
  }

  get #page() {
    return this.#person.page;
  }

  #kept(): Promise<{ kind: string; text?: string }[]> {
    return this.#page.evaluate(async (name) => {
      const answer = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const database = await answer(indexedDB.open(name));
      const entries = await answer(database.transaction('outbox').objectStore('outbox').getAll());
      database.close();
      return entries as { kind: string; text?: string }[];
    }, `natter:${this.#person.handle}`);
  }
}

function marksOf(line: Locator): Promise<string[]> {
  return line
    .getByRole('img')
    .evaluateAll((marks) => marks.map((mark) => mark.getAttribute('aria-label') ?? ''));
}
