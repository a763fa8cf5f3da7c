import { useCallback, useMemo, useRef } from 'react';
import { useClient, useKnown } from '../../hooks/client.ts';
import { foldedText } from '../../kit/folded.ts';
import { useSearch } from '../../kit/useSearch.ts';
import { timelineShown } from '../../store/shown.ts';
import type { Message } from '../../store/state.ts';
import { newestOf } from '../../store/timeline.ts';
import { rankedPeople, type Somebody } from './completion.ts';

/** What one can oversee at once, and what a phone has room for above its keyboard. */
const MAX_SHOWN = { mouse: 8, finger: 5 };
/** Who spoke lately is found among so many messages. */
const LATELY = 300;
/** Members of a room that this page has met by asking. */
const MAX_MET = 500;
/** What the server takes for the beginning of a handle. */
const HANDLE = /^(?:[a-z0-9][a-z0-9_-]{0,31})?$/;

export function mostShown(): number {
  return window.matchMedia('(pointer: coarse)').matches ? MAX_SHOWN.finger : MAX_SHOWN.mouse;
}

/** The people who can be mentioned here and are called like `query`; nobody is asked for while it is null. */
export function usePeople(
  query: string | null,
  id: string | undefined,
  room: string | null,
  others: readonly string[],
): Somebody[] {
  const client = useClient();
  const names = useKnown((state) => state.names);
  const timeline = useKnown((state) => (id === undefined ? undefined : timelineShown(state, id)));
  const met = useRef(new Map<string, Somebody>());
  const ask = useCallback(
    async (prefix: string, signal: AbortSignal): Promise<void> => {
      for (const { user, displayName } of await client.members(room ?? '', prefix, signal)) {
        if (met.current.size < MAX_MET) met.current.set(user, { handle: user, name: displayName });
      }
    },
    [client, room],
  );
  const asked = query === null ? '' : foldedText(query);
  // Nobody is asked about a word that no handle begins with; those who are known are still found by their names.
  const search = useSearch(query !== null && room !== null && HANDLE.test(asked) ? asked : null, ask);

  return useMemo(() => {
    // The answers change what was met.
    void search;
    if (query === null) return [];
    const lately = speakers((timeline && newestOf(timeline)?.messages) ?? [], client.me);
    const known = (room === null ? others : lately).map((handle) => ({
      handle,
      name: names.get(handle) ?? handle,
    }));
    const people = [...met.current.values(), ...known].filter(({ handle }) => handle !== client.me);
    return rankedPeople(query, people, lately, mostShown());
  }, [query, search, timeline, names, others, room, client]);
}

/** The last one first. */
function speakers(messages: readonly Message[], me: string): string[] {
  const lately = messages.slice(-LATELY).reverse();
  return [...new Set(lately.map(({ sender }) => sender))].filter((handle) => handle !== me && handle !== '');
}
