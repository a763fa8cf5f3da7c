import { beforeEach, describe, expect, it } from 'vitest';
import { TAKE_OVER } from '../worker/shell.ts';
import { onlyTheWorker } from './trusted.ts';
import { LOOK_EVERY_MS, Updates } from './update.ts';

/** A worker as a browser has it, whose life the test tells. */
class Worker extends EventTarget {
  state: ServiceWorkerState;
  readonly heard: unknown[] = [];

  constructor(state: ServiceWorkerState = 'installing') {
    super();
    this.state = state;
  }

  postMessage(message: unknown): void {
    this.heard.push(message);
  }

  becomes(state: ServiceWorkerState): void {
    this.state = state;
    this.dispatchEvent(new Event('statechange'));
  }
}

class Registration extends EventTarget {
  waiting: Worker | null = null;
  installing: Worker | null = null;
  looks = 0;
  offline = false;

  async update(): Promise<void> {
    this.looks += 1;
    if (this.offline) throw new TypeError('Failed to fetch');
  }

  /** A new worker is fetched and installed. */
  finds(): Worker {
    const worker = new Worker();
    this.installing = worker;
    this.dispatchEvent(new Event('updatefound'));
    [this.installing, this.waiting] = [null, worker];
    worker.becomes('installed');
    return worker;
  }
}

class Workers extends EventTarget {
  controller: Worker | null = null;

  isControlledBy(worker: Worker): void {
    this.controller = worker;
    this.dispatchEvent(new Event('controllerchange'));
  }
}

/** A page, and what it sees of its browser. */
function page({ controlled = true, registration = new Registration() } = {}) {
  const workers = new Workers();
  if (controlled) workers.controller = new Worker('activated');
  const timers: (() => void)[] = [];
  const seen = { reloads: 0, told: 0, now: 0 };
  const updates = new Updates({
    workers: workers as unknown as ServiceWorkerContainer,
    now: () => seen.now,
    after: (_, then) => void timers.push(then),
    reload: () => {
      seen.reloads += 1;
    },
  });
  updates.subscribe(() => {
    seen.told += 1;
  });
  const watch = () => updates.watch(registration as unknown as ServiceWorkerRegistration);
  return { updates, workers, registration, seen, timers, watch };
}

describe('a new version', () => {
  let tab = page();
  beforeEach(() => {
    tab = page();
  });

  it('is announced when its worker waits, and nothing is reloaded', () => {
    tab.watch();
    expect(tab.updates.ready).toBe(false);
    const worker = tab.registration.finds();
    expect([tab.updates.ready, tab.seen.told, tab.seen.reloads]).toEqual([true, 1, 0]);
    expect(worker.heard).toEqual([]);
  });

  it('is announced where it waited already when the page was opened', () => {
    tab.registration.waiting = new Worker('installed');
    tab.watch();
    expect(tab.updates.ready).toBe(true);
  });

  it('is none where it is the first of all', () => {
    tab = page({ controlled: false });
    tab.watch();
    const first = tab.registration.finds();
    tab.workers.isControlledBy(first);
    expect([tab.updates.ready, tab.seen.reloads]).toEqual([false, 0]);
    tab.registration.waiting = null;
    tab.registration.finds();
    expect(tab.updates.ready).toBe(true);
  });

  it('takes over when it is asked for, and then the page is reloaded, once', () => {
    tab.watch();
    const worker = tab.registration.finds();
    tab.updates.take();
    expect([worker.heard, tab.seen.reloads]).toEqual([[TAKE_OVER], 0]);
    tab.workers.isControlledBy(worker);
    expect(tab.seen.reloads).toBe(1);
  });

  it('that does not take over leaves nobody waiting', () => {
    tab.watch();
    tab.registration.finds();
    tab.updates.take();
    for (const due of tab.timers) due();
    expect(tab.seen.reloads).toBe(1);
  });

  it('that another tab asked for is announced here, and taken by a reload', () => {
    tab.watch();
    tab.workers.isControlledBy(new Worker('activated'));
    expect([tab.updates.ready, tab.seen.reloads]).toEqual([true, 0]);
    tab.updates.take();
    expect(tab.seen.reloads).toBe(1);
  });

  it('can wait, until there is one that is newer still', () => {
    tab.watch();
    tab.registration.finds();
    tab.updates.later();
    expect(tab.updates.ready).toBe(false);
    tab.registration.finds();
    expect(tab.updates.ready).toBe(true);
  });
});

describe('the server', () => {
  it('is asked once in a while, however often somebody looks', async () => {
    const tab = page();
    tab.watch();
    await tab.updates.look();
    expect(tab.registration.looks).toBe(0);
    tab.seen.now = LOOK_EVERY_MS;
    await tab.updates.look();
    await tab.updates.look();
    expect(tab.registration.looks).toBe(1);
  });

  it('may be away', async () => {
    const tab = page();
    tab.watch();
    tab.registration.offline = true;
    tab.seen.now = LOOK_EVERY_MS;
    await expect(tab.updates.look()).resolves.toBeUndefined();
    expect(tab.updates.ready).toBe(false);
  });
});

describe('the policy for scripts', () => {
  it('lets the worker through and nothing else', () => {
    expect(onlyTheWorker('/sw.js')).toBe('/sw.js');
    for (const bad of ['', 'sw.js', '/sw.js?x', '//evil.example/sw.js', 'data:text/javascript,1'])
      expect(() => onlyTheWorker(bad)).toThrow(TypeError);
  });
});
