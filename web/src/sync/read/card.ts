/** Reads who somebody is whose card is on the screen. */
import { problemIn } from '../../net/problem.ts';
import type { Card } from '../../store/beside.ts';
import { type Asking, asOfNow } from './question.ts';

export class CardReader {
  readonly #asking: Asking;

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  open(handle: string): Promise<void> {
    this.#asking.store.apply({ type: 'card', card: { handle, status: 'loading' } });
    return this.#read(handle);
  }

  /** Who it is now: there was no session for a while, and nobody told of a change. */
  async again(): Promise<void> {
    const { card } = this.#asking.store.state;
    if (card !== null) await this.#read(card.handle);
  }

  close(): void {
    this.#asking.store.apply({ type: 'card', card: null });
  }

  async #read(handle: string): Promise<void> {
    const { history, store } = this.#asking;
    const found = (status: Card['status']) => {
      if (store.state.card?.handle === handle) store.apply({ type: 'card', card: { handle, status } });
    };
    try {
      store.apply({ type: 'met', people: [await history.person(handle, asOfNow(this.#asking))] });
      found('there');
    } catch (error) {
      const nobody = ['unknown_user', 'not_found'].includes(problemIn(error).code);
      // Of whom one knows already there is something to show, and to do.
      found(nobody ? 'nobody' : store.state.names.has(handle) ? 'there' : 'failed');
    }
  }
}
