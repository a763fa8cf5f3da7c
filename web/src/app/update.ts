/**
 * Whether a newer Natter is there than the one that this page runs. It is announced and never forced: the new worker waits
 * until somebody asks for it, in any tab. Then it is there for all tabs, and each reloads when it is asked, too.
 */
import { TAKE_OVER } from '../worker/shell.ts';
import { registerWorker } from './trusted.ts';

/** How often a page that stays open asks the server. */
export const LOOK_EVERY_MS = 60 * 60_000;
/** A new worker takes over in moments. If it does not, the page is reloaded as it is, and announces it again. */
const TAKE_OVER_TIMEOUT_MS = 5_000;

/** What of the browser this needs. */
export interface UpdateSurroundings {
  readonly workers: ServiceWorkerContainer;
  now(): number;
  after(ms: number, then: () => void): void;
  reload(): void;
}

export class Updates {
  readonly #around: UpdateSurroundings;
  #registration: ServiceWorkerRegistration | null = null;
  #ready = false;
  #asked = false;
  #lookedAt: number;
  readonly #listeners = new Set<() => void>();

  constructor(around: UpdateSurroundings) {
    this.#around = around;
    this.#lookedAt = around.now();
    const { workers } = around;
    let controlled = workers.controller !== null;
    workers.addEventListener('controllerchange', () => {
      if (this.#asked) around.reload();
      // The first worker of all is as old as the page; a later one was asked for in another tab.
      else if (controlled) this.announce();
      controlled = true;
    });
  }

  /** Whether there is something to announce. */
  get ready(): boolean {
    return this.#ready;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** From now on a worker that is installed behind the one that is at work is announced. */
  watch(registration: ServiceWorkerRegistration): void {
    this.#registration = registration;
    this.#follow(registration.waiting);
    this.#follow(registration.installing);
    registration.addEventListener('updatefound', () => this.#follow(registration.installing));
  }

  /** Asks the server, if that was not done lately. */
  async look(): Promise<void> {
    const now = this.#around.now();
    if (this.#registration === null || now - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    // Without a network there is nothing new, and the browser keeps what it has.
    await this.#registration.update().catch(() => {});
  }

  announce(): void {
    this.#become(true);
  }

  /** Not now: until there is something newer still, or the page is opened again. */
  later(): void {
    this.#become(false);
  }

  /** Has the page be the new one. */
  take(): void {
    const waiting = this.#registration?.waiting ?? null;
    if (waiting === null) {
      this.#around.reload();
      return;
    }
    this.#asked = true;
    waiting.postMessage(TAKE_OVER);
    this.#around.after(TAKE_OVER_TIMEOUT_MS, () => this.#around.reload());
  }

  #follow(worker: ServiceWorker | null): void {
    if (worker === null) return;
    const look = () => {
      if (worker.state === 'installed' && this.#around.workers.controller !== null) this.announce();
    };
    worker.addEventListener('statechange', look);
    look();
  }

  #become(ready: boolean): void {
    this.#ready = ready;
    for (const listener of this.#listeners) listener();
  }
}

/** The updates of this page; null where there is nothing that could bring them, as in development. */
export function browserUpdates(): Updates | null {
  // Undefined where the page came over a network that anybody could change.
  const workers: ServiceWorkerContainer | undefined = navigator.serviceWorker;
  if (!import.meta.env.PROD || workers === undefined) return null;
  const updates = new Updates({
    workers,
    now: () => Date.now(),
    after: (ms, then) => void setTimeout(then, ms),
    reload: () => location.reload(),
  });
  // What the page itself needs comes first. Where a browser refuses, the page goes on without: it only opens more slowly.
  const begin = () =>
    registerWorker(workers).then(
      (registration) => updates.watch(registration),
      () => {},
    );
  if (document.readyState === 'complete') void begin();
  else window.addEventListener('load', () => void begin(), { once: true });
  setInterval(() => void updates.look(), LOOK_EVERY_MS);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') void updates.look();
  });
  // A part that is loaded when it is needed is gone from the server: this page is too old for it.
  window.addEventListener('vite:preloadError', () => updates.announce());
  return updates;
}
