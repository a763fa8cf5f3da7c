/** Where what waits to be sent outlives the page. */
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

/** One database per user: what one wrote is never sent as another. */
export class IndexedDbStorage implements OutboxStorage {
  readonly durable = true;
  readonly #database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.#database = database;
  }

  static async open(factory: IDBFactory, user: string): Promise<IndexedDbStorage> {
    const request = factory.open(`natter:${user}`, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' });
    const database = await answer(request);
    // A later version of this page may upgrade while this one is open.
    database.onversionchange = () => database.close();
    return new IndexedDbStorage(database);
  }

  async all(): Promise<StoredEntry[]> {
    const found = await answer<unknown[]>(this.#transaction('readonly').getAll());
    return found.map(withKind).filter(isEntry);
  }
  async put(entry: StoredEntry): Promise<void> {
    await answer(this.#transaction('readwrite').put(entry));
  }
  async remove(id: string): Promise<void> {
    await answer(this.#transaction('readwrite').delete(id));
  }
  async clear(): Promise<void> {
    await answer(this.#transaction('readwrite').clear());
  }

  close(): void {
    this.#database.close();
  }

  #transaction(mode: IDBTransactionMode): IDBObjectStore {
    return this.#database.transaction(STORE, mode, { durability: 'strict' }).objectStore(STORE);
  }
}

/** IndexedDB where the browser has it and lets us, memory elsewhere (some private windows). */
export async function openStorage(factory: IDBFactory | undefined, user: string): Promise<OutboxStorage> {
  if (factory === undefined) return new MemoryStorage();
  try {
    return await IndexedDbStorage.open(factory, user);
  } catch {
    return new MemoryStorage();
  }
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Earlier versions of this page only kept messages, and did not say so. */
function withKind(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !('kind' in value)
    ? { kind: 'send', ...value }
    : value;
}

/** What another version of this page, or a person with the developer tools, left there is not trusted blindly. */
function isEntry(value: unknown): value is StoredEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { id, order, owner, composedAt, status, ...command } = value as Record<string, unknown>;
  return (
    typeof id === 'string' &&
    typeof order === 'number' &&
    typeof owner === 'string' &&
    typeof composedAt === 'number' &&
    (status === 'queued' || status === 'failed') &&
    isCommand(command)
  );
}

function isCommand(command: Record<string, unknown>): boolean {
  const { kind, to, message, text, emoji, op, user, blocked, name, visibility } = command;
  if (kind === 'block') return typeof user === 'string' && typeof blocked === 'boolean';
  if (kind === 'create')
    return typeof name === 'string' && (visibility === 'public' || visibility === 'private');
  if (typeof to !== 'object' || to === null) return false;
  const inConversation = 'conversation' in to && typeof to.conversation === 'string';
  const toMessage = inConversation && Number.isSafeInteger(message);
  switch (kind) {
    case 'send':
      return (
        typeof text === 'string' &&
        (inConversation || ('participants' in to && Array.isArray(to.participants)))
      );
    case 'edit':
      return toMessage && typeof text === 'string';
    case 'delete':
      return toMessage;
    case 'react':
      return toMessage && typeof emoji === 'string' && (op === 'add' || op === 'remove');
    case 'join':
    case 'leave':
      return inConversation && typeof name === 'string';
    default:
      return false;
  }
}
