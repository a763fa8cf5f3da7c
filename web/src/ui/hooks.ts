import { createContext, useContext, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { Connection } from '../net/connection/state.ts';
import type { Queue } from '../outbox/queue.ts';
import type { State } from '../store/state.ts';
import type { Client } from '../sync/client.ts';

export const ClientContext = createContext<Client | null>(null);

export function useClient(): Client {
  const client = useContext(ClientContext);
  if (client === null) throw new Error('useClient outside of a signed-in page');
  return client;
}

/** A slice of what is known. `select` gives something that the state holds, never something made on the spot. */
export function useKnown<T>(select: (state: State) => T): T {
  const { store } = useClient();
  return useSyncExternalStore(store.subscribe, () => select(store.state));
}

export function useQueue(): Queue {
  const { outbox } = useClient();
  return useSyncExternalStore(outbox.subscribe, () => outbox.queue);
}

export function useConnection(): Connection {
  const client = useClient();
  return useSyncExternalStore(client.onConnection, () => client.connection);
}

/** The time, once a second for as long as `ticking`. */
export function useNow(ticking: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!ticking) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [ticking]);
  return now;
}

/** `#/@bob` or `#/@bob,carol` → the other people of the conversation on the screen; null without one. */
export function peopleOfHash(hash: string): string[] | null {
  const match = /^#\/@([a-z0-9][a-z0-9_-]{1,31}(?:,[a-z0-9][a-z0-9_-]{1,31}){0,31})$/.exec(hash);
  return match?.[1]?.split(',') ?? null;
}

export function hashOfPeople(people: readonly string[]): string {
  return `#/@${people.join(',')}`;
}

export function useRoute(): string[] | null {
  const hash = useSyncExternalStore(
    (changed) => {
      window.addEventListener('hashchange', changed);
      return () => window.removeEventListener('hashchange', changed);
    },
    () => location.hash,
  );
  return useMemo(() => peopleOfHash(hash), [hash]);
}

export function useVisible(): boolean {
  return useSyncExternalStore(
    (changed) => {
      document.addEventListener('visibilitychange', changed);
      return () => document.removeEventListener('visibilitychange', changed);
    },
    () => document.visibilityState === 'visible',
  );
}
