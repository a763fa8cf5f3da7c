import { createContext, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import type { Connection } from '../net/connection/state.ts';
import type { Queue } from '../outbox/queue.ts';
import { directKey, peopleOfKey, roomKey, roomOfKey, type State } from '../store/state.ts';
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

/** `#/room/…` → the id of the room on the screen; null without one. */
export function roomOfHash(hash: string): string | null {
  return /^#\/room\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(hash)?.[1] ?? null;
}

export function hashOfRoom(id: string): string {
  return `#/room/${id}`;
}

/** Where a conversation is shown. */
export function hashOfKey(key: string, me: string): string {
  const room = roomOfKey(key);
  if (room !== null) return hashOfRoom(room);
  const others = peopleOfKey(key).filter((user) => user !== me);
  return hashOfPeople(others.length === 0 ? [me] : others);
}

export function keyOfHash(hash: string, me: string): string | null {
  const room = roomOfHash(hash);
  if (room !== null) return roomKey(room);
  const people = peopleOfHash(hash);
  return people === null ? null : directKey([me, ...people]);
}

/** The key of the conversation on the screen; null without one. */
export function useRoute(me: string): string | null {
  const hash = useSyncExternalStore(
    (changed) => {
      window.addEventListener('hashchange', changed);
      return () => window.removeEventListener('hashchange', changed);
    },
    () => location.hash,
  );
  return keyOfHash(hash, me);
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
