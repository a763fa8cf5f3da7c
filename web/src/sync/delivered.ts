import type { Environment } from '../net/environment.ts';
import { hasUndelivered } from '../store/conversation.ts';
import type { Store } from '../store/store.ts';

/** A gateway puts on record how far people have received every 30 s: a page that is asked for after it knows. */
const RECORDED_WITHIN_MS = 40_000;

export interface DeliveredSurroundings {
  environment: Environment;
  store: Store;
  /** Reads the rows of the list, as new as what the session has told. */
  readRows(): void;
}

/** How far one's messages have come is in no log: while there was no session it was told to nobody here. */
export class Delivered {
  readonly #around: DeliveredSurroundings;
  #cancelTimer: (() => void) | null = null;

  constructor(around: DeliveredSurroundings) {
    this.#around = around;
  }

  caughtUp(): void {
    this.#ask();
    this.down();
    this.#cancelTimer = this.#around.environment.after(RECORDED_WITHIN_MS, () => this.#ask());
  }

  down(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  #ask(): void {
    if (hasUndelivered(this.#around.store.state)) this.#around.readRows();
  }
}
