/** What a component knows of this person's Natter, and does with it. */
import { createContext, useCallback, useContext, useSyncExternalStore } from 'react';
import type { Connection } from '../net/connection/state.ts';
import { browserEnvironment } from '../net/environment.ts';
import type { Queue } from '../outbox/queue.ts';
import { conversationShown, timelineShown } from '../store/shown.ts';
import type { Conversation, State } from '../store/state.ts';
import type { Timeline, TimelineKey } from '../store/timeline.ts';
import type { Client } from '../sync/client.ts';
import { minutes } from './minutes.ts';

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

/** One conversation; what happens in others draws nothing. */
export function useConversation(id: string | undefined): Conversation | undefined {
  return useKnown((state) => (id === undefined ? undefined : conversationShown(state, id)));
}

/** What is held of a conversation, or of a thread. */
export function useTimeline(key: TimelineKey | undefined): Timeline | undefined {
  return useKnown((state) => (key === undefined ? undefined : timelineShown(state, key)));
}

export function useQueue(): Queue {
  const { outbox } = useClient();
  return useSyncExternalStore(outbox.subscribe, () => outbox.queue);
}

/** A choice that stays on this device, as it was kept: whoever reads it checks what it is. */
export function useSetting(key: string): unknown {
  const { settings } = useClient();
  return useSyncExternalStore(settings.subscribe, () => settings.get(key));
}

const onMinute = minutes(browserEnvironment, () => document);

/**
 * What is said of the time, and is another thing later. It is looked at every minute, and drawn anew only where it changed. The time is
 * Natter's: this machine's clock may be wrong, and what the connection says may put it right.
 */
export function useTold(tell: (now: number) => string): string {
  const client = useClient();
  const subscribe = useCallback(
    (changed: () => void) => {
      const ends = [onMinute(changed), client.onConnection(changed)];
      return () => {
        for (const end of ends) end();
      };
    },
    [client],
  );
  return useSyncExternalStore(subscribe, () => tell(client.serverNow()));
}

export function useConnection(): Connection {
  const client = useClient();
  return useSyncExternalStore(client.onConnection, () => client.connection);
}
