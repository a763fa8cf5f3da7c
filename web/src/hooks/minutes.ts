/** Tells all who listen of every minute that begins, by one timer. A page that nobody sees waits, and catches up once it is seen. */
import type { Environment } from '../net/environment.ts';

const MINUTE_MS = 60_000;

type Clock = Pick<Environment, 'now' | 'after'>;
type Page = Pick<Document, 'visibilityState' | 'addEventListener' | 'removeEventListener'>;

export function minutes(clock: Clock, page: () => Page): (listener: () => void) => () => void {
  const listeners = new Set<() => void>();
  let cancel = () => {};
  const wait = () => {
    cancel = clock.after(MINUTE_MS - (clock.now() % MINUTE_MS), tick);
  };
  const tick = () => {
    wait();
    for (const listener of listeners) listener();
  };
  const seen = () => {
    cancel();
    if (page().visibilityState === 'visible') tick();
  };
  return (listener) => {
    if (listeners.size === 0) {
      page().addEventListener('visibilitychange', seen);
      if (page().visibilityState === 'visible') wait();
    }
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      cancel();
      page().removeEventListener('visibilitychange', seen);
    };
  };
}
