/** What a page needs that is asked for once, by somebody who looks at it and can ask again. */
import type { History, Reading } from '../../net/history.ts';
import type { Store } from '../../store/store.ts';

export interface Asking {
  history: History;
  store: Store;
  /** How far the session is: what a frame has told is in what is read after it. */
  position(): string | null;
}

export function asOfNow({ store, position }: Asking): Reading {
  return { minPosition: position() ?? store.state.minPosition };
}
