/** Carries out what the queue decides: over the socket, the storage and a timer. */
import type { Environment } from '../net/environment.ts';
import type { ClientFrame, ErrorFrame, OkFrame, ReactionOp, To, Visibility } from '../net/frames.ts';
import {
  type Command,
  type Entry,
  emptyQueue,
  MAX_ENTRIES,
  type Queue,
  type QueueEffect,
  type QueueEvent,
  reduceQueue,
} from './queue.ts';
import type { OutboxStorage } from './storage.ts';
import { normalised, type TextFault, textFault } from './text.ts';

const MAX_GONE = 2 * MAX_ENTRIES;

export interface Tabs {
  /** This tab. */
  readonly id: string;
  /** The tabs that are open now, and look after what they wrote. */
  living(): Promise<ReadonlySet<string>>;
  /** One that was living is no more. */
  onEnd(listener: () => void): () => void;
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
}

export type AddOutcome = { id: string } | { fault: TextFault | 'full' };

export class Outbox {
  readonly #around: OutboxSurroundings;
  #queue: Queue = emptyQueue;
  #durable = true;
  /** Commands of this session by their ref; an answer that comes late still counts. */
  readonly #refs = new Map<number, string>();
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

  /** Says something. */
  add(to: To, written: string): AddOutcome {
    const text = normalised(written);
    const fault = textFault(text);
    return fault === null ? this.#add({ kind: 'send', to, text }) : { fault };
  }

  edit(conversation: string, message: number, written: string): AddOutcome {
    const text = normalised(written);
    const fault = textFault(text);
    return fault === null ? this.#add({ kind: 'edit', to: { conversation }, message, text }) : { fault };
  }

  delete(conversation: string, message: number): AddOutcome {
    return this.#add({ kind: 'delete', to: { conversation }, message });
  }

  react(conversation: string, message: number, emoji: string, op: ReactionOp): AddOutcome {
    return this.#add({ kind: 'react', to: { conversation }, message, emoji, op });
  }

  block(user: string, blocked: boolean): AddOutcome {
    return this.#add({ kind: 'block', user, blocked });
  }

  createRoom(name: string, visibility: Visibility): AddOutcome {
    return this.#add({ kind: 'create', name, visibility });
  }

  joinRoom(conversation: string, name: string): AddOutcome {
    return this.#add({ kind: 'join', to: { conversation }, name });
  }

  leaveRoom(conversation: string, name: string): AddOutcome {
    return this.#add({ kind: 'leave', to: { conversation }, name });
  }

  #add(command: Command): AddOutcome {
    if (this.#queue.entries.length >= MAX_ENTRIES) return { fault: 'full' };
    const id = this.#around.makeId();
    this.#lastOrder = Math.max(this.#lastOrder + 1, this.#around.environment.now());
    this.#take({
      type: 'added',
      entry: {
        id,
        order: this.#lastOrder,
        owner: this.#around.tabs.id,
        ...command,
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

  /** True when the answer was for a command of this outbox. */
  answered(frame: OkFrame | ErrorFrame): boolean {
    const id = frame.ref === undefined ? undefined : this.#refs.get(frame.ref);
    if (id === undefined || frame.ref === undefined) return false;
    this.#refs.delete(frame.ref);
    if (frame.type === 'ok') {
      const entry = this.#queue.entries.find((held) => held.id === id);
      if (entry !== undefined) this.#around.sent(entry, frame);
      this.#take({ type: 'settled', id });
    } else {
      const { code, message, temporary, retryAfterMs } = frame;
      this.#take({ type: 'refused', id, fault: { code, message }, temporary, retryAfterMs });
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
        const ref = this.#around.nextRef();
        this.#refs.set(ref, effect.entry.id);
        this.#around.send(frameOf(effect.entry, ref));
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

function frameOf(entry: Entry, ref: number): ClientFrame {
  const { id } = entry;
  switch (entry.kind) {
    case 'send':
      return { type: 'send', ref, id, to: entry.to, text: entry.text };
    case 'edit': {
      const { message, text } = entry;
      return { type: 'edit', ref, id, conversation: entry.to.conversation, message, text };
    }
    case 'delete':
      return { type: 'delete', ref, id, conversation: entry.to.conversation, message: entry.message };
    case 'react': {
      const { message, emoji, op } = entry;
      return { type: 'react', ref, id, conversation: entry.to.conversation, message, emoji, op };
    }
    case 'block':
      return { type: entry.blocked ? 'block' : 'unblock', ref, id, user: entry.user };
    case 'create':
      return { type: 'room.create', ref, id, name: entry.name, visibility: entry.visibility };
    case 'join':
    case 'leave':
      return { type: `room.${entry.kind}`, ref, id, conversation: entry.to.conversation };
  }
}
