import { type Change, fold } from './fold.ts';
import { initialState, type State } from './state.ts';

/** Holds the state, applies changes, and says when it became another one. */
export class Store {
  #state: State;
  readonly #listeners = new Set<() => void>();

  constructor(me: string) {
    this.#state = initialState(me);
  }

  get state(): State {
    return this.#state;
  }

  apply(change: Change): void {
    const next = fold(this.#state, change);
    if (next === this.#state) return;
    this.#state = next;
    for (const listener of this.#listeners) listener();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}
