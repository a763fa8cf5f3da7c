import { useCallback, useMemo } from 'react';
import { useClient, useKnown } from '../../hooks/client.ts';
import { type Search, useSearch } from '../../kit/useSearch.ts';
import type { RoomItem, UserItem } from '../../net/frames.ts';
import { directKey } from '../../store/state.ts';
import { handleIn } from './finding.ts';
import type { Row } from './rows.ts';

/** More than that is no choice. */
const MAX_OF_EACH = 8;

export interface Elsewhere {
  people: readonly UserItem[];
  rooms: readonly RoomItem[];
  status: 'idle' | 'searching' | 'found' | 'failed';
}

/** People whom one does not talk to yet, and public rooms that one is not in, by what somebody types. */
export function useElsewhere(query: string, rows: readonly Row[]): Elsewhere {
  const client = useClient();
  const conversations = useKnown((state) => state.conversations);
  const words = query.trim();
  const askPeople = useCallback(
    (of: string, signal: AbortSignal) => client.search(of, signal).then((found) => ({ of, found })),
    [client],
  );
  const askRooms = useCallback(
    (of: string, signal: AbortSignal) => client.searchRooms(of, signal).then((found) => ({ of, found })),
    [client],
  );
  const handle = words === '' ? null : handleIn(words);
  const people = useSearch(handle, askPeople);
  const rooms = useSearch(words === '' ? null : words, askRooms);

  return useMemo(() => {
    const known = new Set(rows.map(({ key }) => key));
    const talksTo = ({ user }: UserItem) => known.has(directKey([client.me, user]));
    const others = foundOf(people, handle).filter((person) => !talksTo(person));
    const found = foundOf(rooms, words).filter(
      ({ conversation, role }) => role === null && conversations.get(conversation)?.room == null,
    );
    const both = [rooms.status, ...(handle === null ? [] : [people.status])];
    const status =
      words === ''
        ? 'idle'
        : both.includes('failed')
          ? 'failed'
          : both.every((one) => one === 'found')
            ? 'found'
            : 'searching';
    return { people: others.slice(0, MAX_OF_EACH), rooms: found.slice(0, MAX_OF_EACH), status };
  }, [people, rooms, rows, handle, words, conversations, client]);
}

/** What was found for other words is not shown for these. */
function foundOf<T>(search: Search<{ of: string; found: T[] }>, asked: string | null): T[] {
  return search.status === 'found' && search.found.of === asked ? search.found.found : [];
}
