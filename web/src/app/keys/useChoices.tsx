import { type ReactNode, useMemo } from 'react';
import { flushSync } from 'react-dom';
import { Mentions, Unread } from '../../features/list/Badges.tsx';
import { foundRows } from '../../features/list/finding.ts';
import type { Row } from '../../features/list/rows.ts';
import { mentionsIn, unreadIn } from '../../features/list/sections.ts';
import { useElsewhere } from '../../features/list/useElsewhere.ts';
import { useNamesOf, useRows } from '../../features/list/useRows.ts';
import { RoomMark } from '../../features/room/RoomMark.tsx';
import { kindOfRoom } from '../../features/room/text.ts';
import { useEnter } from '../../features/room/useEnter.ts';
import { useClient } from '../../hooks/client.ts';
import { hashOfKey, hashOfPeople, navigate } from '../../hooks/route.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Avatar } from '../../kit/Avatar.tsx';
import { oneLine } from '../../kit/bidi.ts';
import { focusConversation } from '../../kit/places.ts';
import type { Entry } from '../../outbox/queue.ts';

/** What one can oversee without scrolling far. */
const MAX_CONVERSATIONS = 12;

export interface Choice {
  key: string;
  sign: ReactNode;
  name: string;
  hint: string;
  badge?: ReactNode;
  choose(): void;
}

interface Choices {
  groups: readonly { name: string; choices: readonly Choice[] }[];
  note: string;
  problem: string | null;
  fault: Entry | undefined;
}

/** One's own conversations, the best and newest first, then people and public rooms that one does not have yet. */
export function useChoices(query: string, open: string | null, close: () => void): Choices {
  const client = useClient();
  const words = useWords();
  const { app, common, list, directory: said } = words;
  const rows = useRows();
  const namesOf = useNamesOf();
  const elsewhere = useElsewhere(query, rows);
  const { entry, problem, begin } = useEnter(close);
  const found = useMemo(() => foundRows(rows, query, namesOf), [rows, query, namesOf]);

  const goTo = (hash: string) => {
    const here = location.hash === hash;
    // At once: what is typed next is meant for that conversation.
    flushSync(() => {
      navigate(hash);
      close();
    });
    // Nothing has opened, so nothing has taken the focus.
    if (here) focusConversation();
  };
  const ofRow = (row: Row): Choice => {
    const { conversation, key, others } = row;
    const { title } = namesOf(row);
    const room = conversation?.room ?? null;
    const [mentions, unread] = [mentionsIn(row, client.me), unreadIn(row, client.me)];
    return {
      ...{ key, name: title, choose: () => goTo(hashOfKey(key, client.me)) },
      sign:
        conversation !== null && room !== null ? (
          <RoomMark id={conversation.id} visibility={room.visibility} />
        ) : (
          <Avatar handle={others[0] ?? client.me} name={title} />
        ),
      hint: room === null ? others.map((user) => `@${user}`).join(' ') : kindOfRoom(room, words),
      badge: (
        <>
          {mentions > 0 && <Mentions count={mentions} />}
          {unread > 0 && <Unread count={unread} muted={row.preferences.muted} />}
        </>
      ),
    };
  };
  // Before one has typed anything, where one is already is no place to go to.
  const others = query === '' ? found.filter(({ key }) => key !== open) : found;
  const waits = entry !== undefined && entry.status !== 'failed';
  const groups = [
    { name: app.conversations, choices: others.slice(0, MAX_CONVERSATIONS).map(ofRow) },
    {
      name: list.morePeople,
      choices: elsewhere.people.map(({ user, displayName }) => ({
        ...{ key: `@${user}`, name: oneLine(displayName), hint: `@${user}` },
        sign: <Avatar handle={user} name={displayName} />,
        choose: () => goTo(hashOfPeople([user])),
      })),
    },
    {
      name: list.moreRooms,
      choices: elsewhere.rooms.map(({ conversation, name, visibility, members }) => ({
        ...{ key: conversation, name: oneLine(name), hint: said.members(members) },
        sign: <RoomMark id={conversation} visibility={visibility} />,
        badge: <span className="hint">{waits ? said.joining : said.join}</span>,
        choose: () => waits || begin(client.do({ kind: 'join', to: { conversation }, name })),
      })),
    },
  ].filter(({ choices }) => choices.length > 0);

  const count = groups.reduce((sum, { choices }) => sum + choices.length, 0);
  const note =
    elsewhere.status === 'failed'
      ? common.searchFailed
      : count > 0
        ? list.results(count)
        : elsewhere.status === 'searching'
          ? common.searching
          : query.trim() === ''
            ? list.none
            : list.nothingFound(query.trim());
  return { groups, note, problem, fault: entry?.status === 'failed' ? entry : undefined };
}
