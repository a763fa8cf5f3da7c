/** Counts the people of the open room again when some came or went: a page says how many, and no frame does. */
import type { Environment } from '../net/environment.ts';
import { idOfKey } from '../store/state.ts';
import type { Store } from '../store/store.ts';

/** Those who come and go together are counted once. */
const GATHER_MS = 300;

export interface RecountSurroundings {
  environment: Environment;
  store: Store;
  /** Reads the row of a room, as new as what the session has told. */
  readRow(conversation: string): void;
}

export class Recount {
  readonly #around: RecountSurroundings;
  readonly #unsubscribe: () => void;
  #cancelTimer: (() => void) | null = null;

  constructor(around: RecountSurroundings) {
    this.#around = around;
    this.#unsubscribe = around.store.subscribe(() => this.#look());
  }

  close(): void {
    this.#unsubscribe();
    this.#cancelTimer?.();
  }

  #look(): void {
    if (this.#cancelTimer !== null || this.#due() === null) return;
    this.#cancelTimer = this.#around.environment.after(GATHER_MS, () => {
      this.#cancelTimer = null;
      const conversation = this.#due();
      if (conversation === null) return;
      // Before it is asked: whoever comes meanwhile is counted in the next one.
      this.#around.store.apply({ type: 'counting', conversation });
      this.#around.readRow(conversation);
    });
  }

  #due(): string | null {
    const { state } = this.#around.store;
    const id = state.open === null ? undefined : idOfKey(state, state.open);
    // Of a room that one was put out of nothing is told any more.
    return id !== undefined && state.conversations.has(id) && state.uncounted.has(id) ? id : null;
  }
}
