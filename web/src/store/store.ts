import { type Change, fold } from './fold.ts';
import { initialState, type State } from './state.ts';

/** Runs `fire` once, before the next picture is drawn. */
export type Schedule = (fire: () => void) => void;

/**
 * Holds the state and applies changes at once, so what is said to be applied is. That it became another one is told
 * once for all that came since the last picture: a burst of frames is drawn together.
 */
export class Store {
  #state: State;
  #told: State;
  #telling = false;
  readonly #schedule: Schedule;
  readonly #listeners = new Set<() => void>();

  constructor(me: string, schedule: Schedule) {
    this.#state = initialState(me);
    this.#told = this.#state;
    this.#schedule = schedule;
  }

  get state(): State {
    return this.#state;
  }

  apply(...changes: readonly Change[]): void {
    this.#state = changes.reduce(fold, this.#state);
    if (this.#telling || this.#state === this.#told) return;
    this.#telling = true;
    this.#schedule(() => this.#tell());
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #tell(): void {
    this.#telling = false;
    if (this.#state === this.#told) return;
    this.#told = this.#state;
    for (const listener of this.#listeners) listener();
  }
}
