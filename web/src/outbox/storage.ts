/** Where what waits to be sent outlives the page. */
import { faultCode } from '../net/codes.ts';
import { attempt, fields, finite, knownWord, maybe, text } from '../net/wire/read.ts';
import { commandIn } from './commands/commands.ts';
import { answer } from './database.ts';
import type { StoredEntry } from './queue.ts';

export interface OutboxStorage {
  /** Whether what is put here is there after a reload. */
  readonly durable: boolean;
  all(): Promise<StoredEntry[]>;
  put(entry: StoredEntry): Promise<void>;
  remove(id: string): Promise<void>;
  /** Lets go of everything: the user logged out. */
  clear(): Promise<void>;
}

export class MemoryStorage implements OutboxStorage {
  readonly durable = false;
  readonly #entries = new Map<string, StoredEntry>();

  async all(): Promise<StoredEntry[]> {
    return [...this.#entries.values()];
  }
  async put(entry: StoredEntry): Promise<void> {
    this.#entries.set(entry.id, entry);
  }
  async remove(id: string): Promise<void> {
    this.#entries.delete(id);
  }
  async clear(): Promise<void> {
    this.#entries.clear();
  }
}

const STORE = 'outbox';

export class IndexedDbStorage implements OutboxStorage {
  readonly durable = true;
  readonly #database: IDBDatabase;

  constructor(database: IDBDatabase) {
    this.#database = database;
  }

  async all(): Promise<StoredEntry[]> {
    const found = await answer<unknown[]>(this.#transaction('readonly').getAll());
    return found.map(entryIn).filter((entry) => entry !== null);
  }
  async put(entry: StoredEntry): Promise<void> {
    await this.#write((store) => store.put(entry));
  }
  async remove(id: string): Promise<void> {
    await this.#write((store) => store.delete(id));
  }
  async clear(): Promise<void> {
    await this.#write((store) => store.clear());
  }

  close(): void {
    this.#database.close();
  }

  async #write(ask: (store: IDBObjectStore) => IDBRequest): Promise<void> {
    const store = this.#transaction('readwrite');
    const asked = answer(ask(store));
    // Without waiting for the answer: the page may be gone before it comes.
    store.transaction.commit();
    await asked;
  }

  #transaction(mode: IDBTransactionMode): IDBObjectStore {
    return this.#database.transaction(STORE, mode, { durability: 'strict' }).objectStore(STORE);
  }
}

/** On the disk where the browser lets us, in memory elsewhere. */
export async function openStorage(database: Promise<IDBDatabase | null>): Promise<OutboxStorage> {
  const there = await database;
  return there === null ? new MemoryStorage() : new IndexedDbStorage(there);
}

/** Earlier versions of this page only kept messages, and did not say so. */
function withKind(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !('kind' in value)
    ? { kind: 'send', ...value }
    : value;
}

const waiting = fields({
  ...{ id: text, order: finite, owner: text, composedAt: finite, status: knownWord(['queued', 'failed']) },
  fault: maybe(fields({ code: faultCode, message: text })),
});

/** What another version of this page, or a person with the developer tools, left there is not trusted blindly. */
function entryIn(value: unknown): StoredEntry | null {
  const command = commandIn(withKind(value));
  const rest = attempt(waiting, value);
  return command === null || rest === null ? null : { ...command, ...rest };
}
