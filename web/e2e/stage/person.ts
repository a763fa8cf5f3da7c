/** What somebody does and sees in the page, in the words of the page. */
import type { BrowserContext, Locator, Page, Response } from 'playwright-core';
import type { Door } from './door.ts';
import { eventually, PATIENCE_MS } from './eventually.ts';
import { type Faults, watchFaults } from './faults.ts';
import { type Session, watchSessions } from './sessions.ts';

export const PASSWORD = 'correct horse battery';

export class Person {
  readonly handle: string;
  readonly context: BrowserContext;
  readonly page: Page;
  #firstAnswer: Response | null = null;
  readonly #url: string;
  readonly #faults: Faults;
  readonly #expected: RegExp[] = [];
  readonly #tabs: Person[] = [];
  readonly #sessions: Session[];

  private constructor(handle: string, url: string, context: BrowserContext, page: Page, faults: Faults) {
    this.handle = handle;
    this.context = context;
    this.page = page;
    this.#url = url;
    this.#faults = faults;
    this.#sessions = watchSessions(page);
  }

  /** Opens the page in a tab of its own. */
  static async arrive(handle: string, url: string, context: BrowserContext): Promise<Person> {
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const faults = await watchFaults(page);
    const person = new Person(handle, url, context, page, faults);
    person.#firstAnswer = await page.goto(url);
    const status = person.firstAnswer?.status();
    if (status !== 200) throw new Error(`${url} answered ${status} instead of the page`);
    return person;
  }

  /** Another tab of the same browser. */
  async anotherTab(): Promise<Person> {
    const tab = await Person.arrive(this.handle, this.#url, this.context);
    this.#tabs.push(tab);
    return tab;
  }

  /** Says beforehand what the browser is going to complain about. */
  expectsFault(fault: RegExp): void {
    this.#expected.push(fault);
  }

  /** What the browser itself complained about, in this tab and those that it opened. */
  get faults(): readonly string[] {
    const own = this.#faults.seen.filter((fault) => !this.#expected.some((pattern) => pattern.test(fault)));
    return [...own, ...this.#tabs.flatMap((tab) => tab.faults)];
  }

  /** What Natter answered when the page was opened. */
  get firstAnswer(): Response | null {
    return this.#firstAnswer;
  }

  /** The sockets of this tab, with what was said in them. */
  get sessions(): readonly Session[] {
    return this.#sessions;
  }

  // ---- coming and going

  async register(displayName = ''): Promise<void> {
    await this.chooseRegistration();
    await this.fillRegistration({ displayName });
    await this.seesTheChat();
  }

  chooseRegistration(): Promise<void> {
    return this.page.getByRole('button', { name: 'Create an account' }).click();
  }

  async fillRegistration({
    handle = this.handle,
    displayName = '',
    password = PASSWORD,
  }: {
    handle?: string;
    displayName?: string;
    password?: string;
  }): Promise<void> {
    await this.page.getByLabel('Handle').fill(handle);
    await this.page.getByLabel('Display name').fill(displayName);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', { name: 'Create account' }).click();
  }

  async logIn(password = PASSWORD, handle = this.handle): Promise<void> {
    await this.page.getByLabel('Handle').fill(handle);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', { name: 'Log in', exact: true }).click();
  }

  /** Somebody else's account, in this browser. */
  async logInAs(other: Person): Promise<void> {
    await this.logIn(PASSWORD, other.handle);
    await this.seesTheChat(other.handle);
  }

  async logOut(): Promise<void> {
    await this.page.getByRole('button', { name: 'Log out' }).click();
    await this.page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click();
    await this.seesTheLogin();
  }

  async seesTheChat(handle = this.handle): Promise<void> {
    await this.page
      .getByRole('navigation', { name: 'Conversations' })
      .getByText(`Logged in as @${handle}`)
      .waitFor();
  }

  async seesTheLogin(notice?: string): Promise<void> {
    await this.page.getByRole('form', { name: 'Log in' }).waitFor();
    if (notice !== undefined) await this.page.getByText(notice).waitFor();
  }

  async seesProblem(text: string | RegExp): Promise<void> {
    await this.page.getByRole('alert').getByText(text).waitFor();
  }

  /** As when the network goes: connections break off, and the browser says so. */
  async goOffline(door: Door): Promise<void> {
    door.cut();
    await this.context.setOffline(true);
    await this.seesBanner('You’re offline');
  }

  async comeBack(door: Door): Promise<void> {
    door.mend();
    await this.context.setOffline(false);
  }

  // ---- talking

  /** Opens the conversation by its address, as from a bookmark. */
  async goToConversationWith(handle: string): Promise<void> {
    await this.page.evaluate((hash) => {
      location.hash = hash;
    }, `#/@${handle}`);
    await this.seesComposer();
  }

  /** Finds somebody by handle and opens the conversation with them. */
  async talkTo(other: Person): Promise<void> {
    await this.page.getByRole('button', { name: 'New conversation' }).click();
    await this.page.getByRole('searchbox', { name: 'Find people' }).fill(other.handle);
    await this.page.getByRole('list', { name: 'People' }).getByText(`@${other.handle}`).click();
    await this.seesComposer();
  }

  /** Makes a room, and is in it. */
  async makesRoom(name: string, kind: 'Public' | 'Private' = 'Public'): Promise<void> {
    await this.page.getByRole('button', { name: 'Find rooms' }).click();
    await this.page.getByRole('button', { name: 'New room' }).click();
    await this.page.getByRole('textbox', { name: 'Name' }).fill(name);
    await this.page.getByRole('radio', { name: kind }).check();
    await this.page.getByRole('button', { name: 'Make it' }).click();
    await this.head.getByRole('heading', { name }).waitFor();
    await this.seesComposer();
  }

  /** Finds a public room by its name, and joins it. */
  async joinsRoom(name: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Find rooms' }).click();
    await this.page.getByRole('searchbox', { name: 'Name or topic' }).fill(name);
    await this.page.getByRole('button', { name: `Join ${name}` }).click();
    await this.head.getByRole('heading', { name }).waitFor();
    await this.seesComposer();
  }

  /** The room that is open, as its address names it. */
  get room(): string {
    return /#\/room\/(.+)$/.exec(this.page.url())?.[1] ?? '';
  }

  /** The small lines that say who came and went. */
  get notices(): Locator {
    return this.page.getByRole('log').locator('.notice');
  }

  async openFromList(name: string): Promise<void> {
    await this.row(name).click();
    await this.seesComposer();
  }

  async closeConversation(): Promise<void> {
    await this.page.evaluate(() => {
      location.hash = '#/';
    });
    await this.composer.waitFor({ state: 'detached' });
  }

  async write(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
    await eventually(() => this.composer.inputValue(), '');
  }

  /** The lines of the conversation that is open: exactly these, in this order, each once. */
  async seesTexts(texts: readonly string[]): Promise<void> {
    await eventually(() => this.texts(), [...texts]);
  }

  texts(): Promise<string[]> {
    return this.lines.locator('.text').allTextContents();
  }

  /** Sending, Waiting to be sent, Not sent, Sent, Delivered or Read, at the newest line. */
  async seesMark(mark: string): Promise<void> {
    await eventually(() => this.marks(), [mark]);
  }

  /** That what waits is on the disk: a page that is closed before loses it. */
  async hasKept(texts: readonly string[]): Promise<void> {
    await eventually(async () => (await this.kept()).map(({ text }) => text), [...texts]);
  }

  /** The same of all that a person can do: `send`, `edit`, `delete`, `react`. */
  async hasKeptDeeds(kinds: readonly string[]): Promise<void> {
    await eventually(async () => (await this.kept()).map(({ kind }) => kind), [...kinds]);
  }

  private kept(): Promise<{ kind: string; text?: string }[]> {
    return this.page.evaluate(async (name) => {
      const answer = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const database = await answer(indexedDB.open(name));
      const entries = await answer(database.transaction('outbox').objectStore('outbox').getAll());
      database.close();
      return entries as { kind: string; text?: string }[];
    }, `natter:${this.handle}`);
  }

  // ---- what is done to messages

  /** The line with this text. */
  line(text: string): Locator {
    return this.lines.filter({ has: this.page.locator('.text').getByText(text, { exact: true }) });
  }

  actions(text: string): Locator {
    return this.line(text).getByRole('button', { name: 'Actions for' });
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
      this.line(text)
        .getByRole('list', { name: 'Reactions' })
        .getByRole('button')
        .evaluateAll((buttons) => buttons.map((button) => button.getAttribute('aria-label') ?? ''));
    await eventually(shown, [...reactions]);
  }

  get editField(): Locator {
    return this.page.getByRole('textbox', { name: 'New text' });
  }

  isInComposer(): Promise<boolean> {
    return this.composer.evaluate((field) => field === document.activeElement);
  }

  marks(): Promise<string[]> {
    return marksOf(this.lines.last());
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

  async seesBanner(text: string | RegExp): Promise<void> {
    await this.banner.filter({ hasText: text }).waitFor();
  }

  async seesNoBanner(): Promise<void> {
    await this.banner.waitFor({ state: 'detached' });
  }

  row(name: string): Locator {
    return this.page
      .getByRole('navigation', { name: 'Conversations' })
      .getByRole('link')
      .filter({ hasText: name });
  }

  get composer(): Locator {
    return this.page.getByRole('textbox', { name: 'Message' });
  }

  get head(): Locator {
    return this.page.locator('.conversation-head');
  }

  get lines(): Locator {
    return this.page.getByRole('log').locator('.line');
  }

  get typing(): Locator {
    return this.page.getByRole('status', { name: 'Typing' });
  }

  get banner(): Locator {
    return this.page.getByRole('status', { name: 'Connection' });
  }

  private async seesComposer(): Promise<void> {
    await this.composer.waitFor();
  }
}

function marksOf(line: Locator): Promise<string[]> {
  return line
    .getByRole('img')
    .evaluateAll((marks) => marks.map((mark) => mark.getAttribute('aria-label') ?? ''));
}
