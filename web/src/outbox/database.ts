/** What a person's browser keeps for them: one database per user, so that nothing of one is ever another's. */

/** Goes up by one with every store that comes. */
const VERSION = 2;
/** Each store with the field that its entries are known by. */
const STORES = {
  outbox: 'id',
  drafts: 'key',
  cache: 'key',
  marks: 'key',
  settings: 'key',
} as const;

export type StoreName = keyof typeof STORES;

/** What this page can keep and share beyond itself. */
export interface Keep {
  /** Null where the browser has no IndexedDB, or does not let us (some private windows). */
  database: Promise<IDBDatabase | null>;
  /** Tells the other tabs of this user. */
  channel(name: string): BroadcastChannel | null;
}

/** Memory alone. */
export const noKeep: Keep = { database: Promise.resolve(null), channel: () => null };

export async function openDatabase(
  factory: IDBFactory | undefined,
  user: string,
): Promise<IDBDatabase | null> {
  if (factory === undefined) return null;
  try {
    const request = factory.open(`natter:${user}`, VERSION);
    request.onupgradeneeded = () => {
      const { result: database } = request;
      for (const [name, keyPath] of Object.entries(STORES)) {
        if (!database.objectStoreNames.contains(name)) database.createObjectStore(name, { keyPath });
      }
    };
    const database = await answer(request);
    // A later version of this page may upgrade while this one is open.
    database.onversionchange = () => database.close();
    return database;
  } catch {
    return null;
  }
}

/** Entries of one store that know their own key. Where there is no database it keeps nothing. */
export class Shelf<T extends { key: string }> {
  readonly #database: Promise<IDBDatabase | null>;
  readonly #name: StoreName;

  constructor(database: Promise<IDBDatabase | null>, name: Exclude<StoreName, 'outbox'>) {
    this.#database = database;
    this.#name = name;
  }

  /** As they were found: what another version of this page left there is not trusted blindly. */
  async all(): Promise<unknown[]> {
    return (await this.#ask('readonly', (store) => store.getAll())) ?? [];
  }
  async put(entry: T): Promise<void> {
    await this.#ask('readwrite', (store) => store.put(entry));
  }
  async remove(key: string): Promise<void> {
    await this.#ask('readwrite', (store) => store.delete(key));
  }
  /** All of it in one transaction: of several that a leaving page begins, only the first is sure to end. */
  async change(put: readonly T[], removed: readonly string[]): Promise<void> {
    if (put.length + removed.length === 0) return;
    await this.#ask('readwrite', (store) => {
      const requests = [...put.map((entry) => store.put(entry)), ...removed.map((key) => store.delete(key))];
      return requests.at(-1) as IDBRequest<unknown>;
    });
  }
  async clear(): Promise<void> {
    await this.#ask('readwrite', (store) => store.clear());
  }

  async #ask<A>(
    mode: IDBTransactionMode,
    ask: (store: IDBObjectStore) => IDBRequest<A>,
  ): Promise<A | undefined> {
    const database = await this.#database;
    if (database === null) return undefined;
    const transaction = database.transaction(this.#name, mode);
    const asked = answer(ask(transaction.objectStore(this.#name)));
    // Without waiting for the answer: the page may be leaving, and would not be there to hear it.
    transaction.commit();
    return asked;
  }
}

export function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
