/** Keeps what this page knows for the next one, which begins with it and asks for what came since (CON3). */
import type { Environment } from '../net/environment.ts';
import type { Cache } from '../outbox/cache.ts';
import { type Snapshot, snapshotOf } from '../store/snapshot.ts';
import type { State } from '../store/state.ts';
import type { Store } from '../store/store.ts';

/** A page that is left keeps it then; one that is killed loses no more than this, and reads it again. */
const KEEP_EVERY_MS = 30_000;
/** A disk that takes longer is not waited for. */
const LOAD_MS = 1_000;

export interface KeeperSurroundings {
  environment: Environment;
  store: Store;
  cache: Cache;
  /** Where in the log what is known is true; null while a row is asked for of which the log has told. */
  position(): string | null;
}

export class Keeper {
  readonly #around: KeeperSurroundings;
  #kept: State | null = null;
  #cancelTimer: (() => void) | null = null;
  #closed = false;

  constructor(around: KeeperSurroundings) {
    this.#around = around;
  }

  /** What the last page knew; null where that is not to be waited for, and then `late` is given it. */
  load(late: (known: Snapshot) => void): Promise<Snapshot | null> {
    const { cache, environment } = this.#around;
    return new Promise((resolve) => {
      let isLate = false;
      const cancel = environment.after(LOAD_MS, () => {
        isLate = true;
        resolve(null);
      });
      void cache.load().then((known) => {
        cancel();
        if (!isLate) resolve(known);
        else if (known !== null && !this.#closed) late(known);
      });
    });
  }

  /** From now on it is kept. */
  begin(): void {
    if (this.#closed) return;
    this.#cancelTimer = this.#around.environment.after(KEEP_EVERY_MS, () => {
      this.keep();
      this.begin();
    });
  }

  keep(): void {
    const { store, cache, position } = this.#around;
    const at = position();
    if (this.#closed || at === null || store.state === this.#kept) return;
    this.#kept = store.state;
    const known = snapshotOf(store.state, at);
    if (known !== null) cache.save(known);
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
  }

  /** The session ended, or the person logged out: what they could see is not left behind. */
  async clear(): Promise<void> {
    this.close();
    await this.#around.cache.clear();
  }
}
