/** `story(…)` is a test with people in it. Each story has people of its own, with browsers of their own. */
import { randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium } from 'playwright-core';
import { expect, inject, test } from 'vitest';
import { Door } from './door.ts';
import { Person } from './person.ts';
import { RESULTS } from './program.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const USUAL: BrowserContextOptions = { locale: 'en-GB' };

/** Brings somebody on: a handle that nobody else has, and the page in front of them. */
export type Arrive = (name: string, url?: string, options?: Circumstances) => Promise<Person>;

export interface Circumstances extends BrowserContextOptions {
  /** How far the clock of this person's machine is ahead, or, below nought, behind. */
  clockAheadMs?: number;
  /** What the page is opened at, behind its address. */
  hash?: string;
  /** Something to wait for: the page keeps in `usableAt` when it was first there. */
  watchFor?: string;
}

export interface Stage {
  arrive: Arrive;
  /** A cable of one's own to Natter. */
  door(url?: string): Promise<Door>;
}

let browser: Promise<Browser> | null = null;

export const story = test.extend<Stage>({
  arrive: async ({ task }, use) => {
    const people: Person[] = [];
    const arrive: Arrive = async (name, url = inject('natterUrl'), circumstances = {}) => {
      browser ??= launch();
      const { clockAheadMs = 0, hash = '', watchFor, ...options } = circumstances;
      const context = await (await browser).newContext({
        ...USUAL,
        extraHTTPHeaders: fromSomewhere(),
        ...options,
      });
      // One that answers from its own store would stand between a story and what it tells.
      if (options.serviceWorkers !== 'allow') await context.addInitScript(withoutWorkers);
      if (clockAheadMs !== 0) await context.addInitScript(setClock, clockAheadMs);
      if (watchFor !== undefined) await context.addInitScript(keepUsableAt, watchFor);
      const person = await Person.arrive(`${name}-${randomBytes(3).toString('hex')}`, url + hash, context);
      people.push(person);
      return person;
    };
    await use(arrive);
    if (task.result?.state === 'fail')
      await Promise.all(people.map((person) => leavePicture(task.name, person)));
    const faults = people.flatMap((person) => person.faults.map((fault) => `@${person.handle}: ${fault}`));
    await Promise.all(people.map(({ context }) => context.close()));
    expect(faults).toEqual([]);
  },
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the pattern what a fixture needs
  door: async ({}, use) => {
    const doors: Door[] = [];
    await use(async (url = inject('natterUrl')) => {
      const door = await Door.to(url);
      doors.push(door);
      return door;
    });
    await Promise.all(doors.map((door) => door.close()));
  },
});

/** In the page, before anything else of it runs: `Date` as it is on a machine whose clock is wrong. */
function setClock(aheadMs: number): void {
  const Right = Date;
  Object.assign(window, { clockAheadMs: aheadMs });
  const ahead = () => (window as unknown as { clockAheadMs: number }).clockAheadMs;
  window.Date = class extends Right {
    constructor(...given: []) {
      super(...(given.length === 0 ? ([Right.now() + ahead()] as unknown as []) : given));
    }

    static override now(): number {
      return Right.now() + ahead();
    }
  } as DateConstructor;
}

/** In the page, too. */
function keepUsableAt(selector: string): void {
  const look = () => {
    if (document.querySelector(selector) === null) requestAnimationFrame(look);
    else Object.assign(window, { usableAt: performance.now() });
  };
  look();
}

/**
 * The browser has no service workers, as where a page comes over a network that anybody could change. (Playwright's own way to
 * block them answers with a registration that is none, which no browser does.)
 */
function withoutWorkers(): void {
  Object.defineProperty(Navigator.prototype, 'serviceWorker', { value: undefined });
}

/** As a proxy in front of Natter would say where somebody comes from: each from a place of their own. */
function fromSomewhere(): Record<string, string> {
  return { 'X-Forwarded-For': `10.${[...randomBytes(3)].join('.')}` };
}

async function leavePicture(story: string, { context, handle }: Person): Promise<void> {
  for (const [n, page] of context.pages().entries())
    await page.screenshot({ path: join(RESULTS, `${story}-${handle}-${n + 1}.png`) }).catch(() => {});
}

/** Ends the browser of this file, when its last story is told. */
export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
  browser = null;
}

async function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: executable(), args: ARGUMENTS, timeout: 60_000 });
}

/** The one that is named, or the first that is there. */
function executable(): string {
  const { NATTER_CHROMIUM: named, PATH = '' } = process.env;
  if (named !== undefined && named !== '') return named;
  const folders = PATH.split(delimiter);
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
  return found ?? chromium.executablePath();
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
