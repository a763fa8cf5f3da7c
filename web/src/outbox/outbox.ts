/** Carries out what the queue decides: over the socket, the storage and a timer. */
import type { Environment } from '../net/environment.ts';
import type { ClientFrame, ErrorFrame, OkFrame } from '../net/frames.ts';
import { type Command, frameOf, prepared } from './commands/commands.ts';
import {
  type Entry,
  emptyQueue,
  MAX_ENTRIES,
  type Queue,
  type QueueEffect,
  type QueueEvent,
  reduceQueue,
} from './queue.ts';
import type { OutboxStorage } from './storage.ts';
import type { TextFault } from './text.ts';
import { timeOfUuid7 } from './uuid7.ts';

const MAX_GONE = 2 * MAX_ENTRIES;
/**
 * CMD2: an id of a time to come is not taken before that. By so much no clock of a gateway is behind, so that one was never
 * taken; and nothing but the time of its id makes a command wait so long.
 */
const MAX_AHEAD_MS = 60_000;

export interface Tabs {
  /** This tab, for as long as this person is logged in. */
  readonly id: string;
  /** The tabs that are open now, and look after what they wrote. */
  living(): Promise<ReadonlySet<string>>;
  /** One that was living is no more. */
  onEnd(listener: () => void): () => void;
  /** This one is no more: another one looks after what it leaves. */
  close(): void;
}

export interface OutboxSurroundings {
  environment: Environment;
  storage: Promise<OutboxStorage>;
  tabs: Tabs;
  makeId(): string;
  /** Now, on the server's clock. */
  serverNow(): number;
  nextRef(): number;
  /** False when there is no live session. */
  send(frame: ClientFrame): boolean;
  /** It is in the log, at the `ok`'s seq. */
  sent(entry: Entry, ok: OkFrame): void;
  /** What `serverNow` says is far from what the server's clock says. */
  clockDoubted(): void;
}

export type AddOutcome = { id: string } | { fault: TextFault | 'full' };

export class Outbox {
  readonly #around: OutboxSurroundings;
  #queue: Queue = emptyQueue;
  #durable = true;
  /** Commands of this session by their ref; an answer that comes late still counts, also once a page has settled them. */
  readonly #refs = new Map<number, Entry>();
  #cancelTimer: (() => void) | null = null;
  #writes: Promise<void> = Promise.resolve();
  #lastOrder = 0;
  /** What left this outbox for good, so that a storage that is read meanwhile does not bring it back. */
  readonly #gone = new Set<string>();
  #closed = false;
  readonly #forgetTabs: () => void;
  readonly #listeners = new Set<() => void>();

  constructor(around: OutboxSurroundings) {
    this.#around = around;
    this.#forgetTabs = around.tabs.onEnd(() => void this.adopt());
  }

  get queue(): Queue {
    return this.#queue;
  }

  /** Whether what waits here is still there after a reload. */
  get durable(): boolean {
    return this.#durable;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Does it as soon as it can be done; says at once where it never could. */
  add(command: Command): AddOutcome {
    const ready = prepared(command);
    if ('fault' in ready) return ready;
    if (this.#queue.entries.length >= MAX_ENTRIES) return { fault: 'full' };
    const id = this.#around.makeId();
    this.#lastOrder = Math.max(this.#lastOrder + 1, this.#around.environment.now());
    this.#take({
      type: 'added',
      entry: {
        id,
        order: this.#lastOrder,
        owner: this.#around.tabs.id,
        ...ready,
        composedAt: this.#around.serverNow(),
        status: 'queued',
      },
    });
    return { id };
  }

  retry(id: string): void {
    this.#take({ type: 'retry', id, freshId: this.#around.makeId() });
  }

  discard(id: string): void {
    this.#take({ type: 'discard', id });
  }

  /** Takes over what earlier pages left behind, but not what another open tab is sending. */
  async adopt(): Promise<void> {
    try {
      const storage = await this.#around.storage;
      await this.#writes;
      this.#durable = storage.durable;
      const [stored, living] = await Promise.all([storage.all(), this.#around.tabs.living()]);
      if (this.#closed) return;
      const mine = this.#around.tabs.id;
      const orphans = stored.filter(
        ({ id, owner }) => !this.#gone.has(id) && (owner === mine || !living.has(owner)),
      );
      // Whatever the clock says by now, what is written from now on comes after it.
      for (const { order } of orphans) this.#lastOrder = Math.max(this.#lastOrder, order);
      this.#take({ type: 'loaded', entries: orphans.slice(0, MAX_ENTRIES), owner: mine });
    } catch {
      this.#durable = false;
    }
    this.#tell();
  }

  live(): void {
    this.#take({ type: 'live' });
  }

  down(): void {
    this.#refs.clear();
    this.#take({ type: 'down' });
  }

  /** The log is another one: what names a message of the one before is not done. */
  otherLog(): void {
    this.#take({ type: 'other_log', since: this.#around.serverNow() });
  }

  /** True when the answer was for a command of this outbox. */
  answered(frame: OkFrame | ErrorFrame): boolean {
    const entry = frame.ref === undefined ? undefined : this.#refs.get(frame.ref);
    if (entry === undefined || frame.ref === undefined) return false;
    const { id } = entry;
    this.#refs.delete(frame.ref);
    if (frame.type === 'ok') {
      // Of an earlier try the answer says nothing more.
      for (const [ref, held] of this.#refs) if (held.id === id) this.#refs.delete(ref);
      this.#around.sent(entry, frame);
      this.#take({ type: 'settled', id });
    } else {
      const { code, message, temporary, retryAfterMs = 0 } = frame;
      const doubted = code === 'unavailable' && retryAfterMs > MAX_AHEAD_MS;
      const patience = doubted ? undefined : frame.retryAfterMs;
      this.#take({ type: 'refused', id, fault: { code, message }, temporary, retryAfterMs: patience });
      if (doubted) this.#around.clockDoubted();
    }
    return true;
  }

  /** The event of a command with this id was seen in the log: whatever became of the `ok`, it is settled. */
  seen(id: string): void {
    if (this.#queue.entries.some((held) => held.id === id)) this.#take({ type: 'settled', id });
  }

  /** Forgets everything, also on disk. */
  async clear(): Promise<void> {
    this.close();
    await this.#writes;
    const storage = await this.#around.storage;
    await storage.clear();
  }

  close(): void {
    this.#closed = true;
    this.#forgetTabs();
    this.#cancelTimer?.();
    this.#queue = emptyQueue;
    // Who takes over finds all of it.
    void this.#writes.then(() => this.#around.tabs.close());
  }

  #take(event: QueueEvent): void {
    if (this.#closed) return;
    const { environment } = this.#around;
    const before = this.#queue;
    const [after, effects] = reduceQueue(before, event, {
      now: environment.now(),
      random: environment.random(),
    });
    this.#queue = after;
    for (const effect of effects) this.#carryOut(effect);
    if (after !== before) this.#tell();
  }

  #carryOut(effect: QueueEffect): void {
    switch (effect.do) {
      case 'send': {
        const { id } = effect.entry;
        const now = this.#around.serverNow();
        if ((timeOfUuid7(id) ?? 0) > now + MAX_AHEAD_MS) {
          this.#take({ type: 'renamed', id, freshId: this.#around.makeId(), composedAt: now });
          break;
        }
        const ref = this.#around.nextRef();
        this.#refs.set(ref, effect.entry);
        this.#around.send(frameOf(effect.entry, ref, id));
        break;
      }
      case 'put':
        this.#write((storage) => storage.put(effect.entry));
        break;
      case 'remove':
        this.#gone.add(effect.id);
        if (this.#gone.size > MAX_GONE) this.#gone.delete(this.#gone.values().next().value ?? '');
        this.#write((storage) => storage.remove(effect.id));
        break;
      case 'wake_in':
        this.#cancelTimer?.();
        this.#cancelTimer = this.#around.environment.after(effect.ms, () => this.#take({ type: 'tick' }));
        break;
    }
  }

  /** In order, so that a removal never overtakes the entry that it removes. */
  #write(write: (storage: OutboxStorage) => Promise<void>): void {
    this.#writes = this.#writes
      .then(async () => write(await this.#around.storage))
      .catch(() => {
        // A full or broken disk: the message still leaves, it just would not outlive the page.
        this.#durable = false;
        this.#tell();
      });
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
