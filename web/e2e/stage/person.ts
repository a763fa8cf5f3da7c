/** Somebody with a page in front of them. What they do and see in it stands by topic in `person/`. */
import type { BrowserContext, Locator, Page, Response } from 'playwright-core';
import type { Door } from './door.ts';
import { PATIENCE_MS } from './eventually.ts';
import { type Faults, watchFaults } from './faults.ts';
import { Account } from './person/account.ts';
import { Beside } from './person/beside.ts';
import { List } from './person/list.ts';
import { Message } from './person/message.ts';
import { Room } from './person/room.ts';
import { Talk } from './person/talk.ts';
import { type Session, watchSessions } from './sessions.ts';

/** Between two attempts to connect (PROTOCOL HRT5). */
const LONGEST_DELAY_MS = 30_000;

/** Somebody, also one without a page. */
export type Named = Pick<Person, 'handle'>;

export class Person {
  readonly handle: string;
  readonly context: BrowserContext;
  readonly page: Page;
  readonly account = new Account(this);
  readonly list = new List(this);
  readonly talk = new Talk(this);
  readonly message = new Message(this);
  readonly room = new Room(this);
  readonly beside = new Beside(this);
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

  /** Reloads without what this device keeps of what it knew: what is seen then is what the server has. */
  async reloadFromTheServer(): Promise<void> {
    await this.page.addInitScript(() => {
      const { transaction } = IDBDatabase.prototype;
      IDBDatabase.prototype.transaction = function (stores, ...how) {
        if (stores === 'cache') throw new DOMException('kept from it', 'NotFoundError');
        return transaction.call(this, stores, ...how);
      };
    });
    await this.page.reload();
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

  /** As when the network goes: connections break off, and the browser says so. */
  async goOffline(cable: Door): Promise<void> {
    cable.cut();
    await this.context.setOffline(true);
    await this.seesBanner('You’re offline');
  }

  async comeBack(cable: Door): Promise<void> {
    cable.mend();
    await this.context.setOffline(false);
  }

  /** Of a machine whose clock was wrong from the beginning: how far it is ahead from now on. */
  async setsTheClock(aheadMs: number): Promise<void> {
    await this.page.evaluate((clockAheadMs) => void Object.assign(window, { clockAheadMs }), aheadMs);
  }

  async seesProblem(text: string | RegExp): Promise<void> {
    await this.page.getByRole('alert').getByText(text).waitFor();
  }

  async seesBanner(text: string | RegExp): Promise<void> {
    await this.banner.filter({ hasText: text }).waitFor();
  }

  /** A page that has tried for long tries again only half a minute later. */
  async seesNoBanner(): Promise<void> {
    await this.banner.waitFor({ state: 'detached', timeout: LONGEST_DELAY_MS + PATIENCE_MS });
  }

  get banner(): Locator {
    return this.page.locator('.banner');
  }
}
