import { type KeyboardEvent, useCallback, useMemo } from 'react';
import { useClient } from '../../hooks/client.ts';
import { hashOfPeople } from '../../hooks/route.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Avatar } from '../../kit/Avatar.tsx';
import { isolate } from '../../kit/bidi.ts';
import { Handle, Name } from '../../kit/Name.tsx';
import { focusFilter } from '../../kit/places.ts';
import { EntryFault } from '../outbox/EntryFault.tsx';
import { RoomMark } from '../room/RoomMark.tsx';
import { useEnter } from '../room/useEnter.ts';
import { foundRows } from './finding.ts';
import { ListRow } from './ListRow.tsx';
import type { Row } from './rows.ts';
import { useElsewhere } from './useElsewhere.ts';
import { useNamesOf } from './useRows.ts';

/** So many answers are enough to see that one has to say more. */
const MAX_SHOWN = 50;

interface FilterResultsProps {
  query: string;
  rows: readonly Row[];
  open: string | null;
  /** Something new was begun from here. */
  done(): void;
}

/** What is called like that: of one's own conversations, then of all people and public rooms. */
export function FilterResults({ query, rows, open, done }: FilterResultsProps) {
  const client = useClient();
  const { list, common, directory } = useWords();
  const namesOf = useNamesOf();
  const found = useMemo(() => foundRows(rows, query, namesOf), [rows, query, namesOf]);
  const elsewhere = useElsewhere(query, rows);
  const entered = useCallback(() => done(), [done]);
  const { entry, problem, begin } = useEnter(entered);
  const joining = entry?.kind === 'join' && entry.status !== 'failed' ? entry.to.conversation : null;
  const count = found.length + elsewhere.people.length + elsewhere.rooms.length;

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the links and buttons in it have the focus
    <div className="list-scroll" onKeyDown={arrowKeyDown}>
      <p className="list-note list-found" role="status" aria-label={common.search}>
        {elsewhere.status === 'failed'
          ? common.searchFailed
          : count > 0
            ? list.results(count)
            : elsewhere.status === 'searching'
              ? common.searching
              : list.nothingFound(query.trim())}
      </p>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {entry?.status === 'failed' && <EntryFault entry={entry} />}
      {found.length > 0 && (
        <ul>
          {found.slice(0, MAX_SHOWN).map((row) => (
            <li key={row.key}>
              <ListRow row={row} current={row.key === open} />
            </li>
          ))}
        </ul>
      )}
      {elsewhere.people.length > 0 && (
        <section>
          <h2 className="section-head">{list.morePeople}</h2>
          <ul>
            {elsewhere.people.map(({ user, displayName }) => (
              <li key={user}>
                <a className="row" href={hashOfPeople([user])} onClick={done}>
                  <Avatar handle={user} name={displayName} />
                  <span className="row-text">
                    <span className="row-title">
                      <Name>{displayName}</Name>
                    </span>
                    <span className="row-last">
                      <Handle of={user} />
                    </span>
                  </span>
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
      {elsewhere.rooms.length > 0 && (
        <section>
          <h2 className="section-head">{list.moreRooms}</h2>
          <ul>
            {elsewhere.rooms.map(({ conversation, name, topic, visibility, members }) => (
              <li key={conversation} className="room-offer">
                <RoomMark id={conversation} visibility={visibility} />
                <span className="row-text">
                  <span className="row-title" dir="auto">
                    <Name>{name}</Name>
                  </span>
                  <span className="row-last" dir="auto">
                    {directory.members(members)}
                    {topic !== '' && ` · ${topic}`}
                  </span>
                </span>
                <button
                  type="button"
                  className="button small"
                  aria-label={directory.deedOn(directory.join, isolate(name))}
                  aria-disabled={joining !== null}
                  onClick={() =>
                    joining === null && begin(client.do({ kind: 'join', to: { conversation }, name }))
                  }
                >
                  {joining === conversation ? directory.joining : directory.join}
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

/** From one of what was found to the next, and from the first back to the filter. */
function arrowKeyDown(event: KeyboardEvent<HTMLDivElement>): void {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const { currentTarget, target } = event;
  if (!(target instanceof HTMLElement) || target.closest('.popover') !== null) return;
  const found = [...currentTarget.querySelectorAll('ul > li')];
  const at = found.findIndex((one) => one.contains(target));
  const last = found.length - 1;
  const to = { ArrowDown: Math.min(at + 1, last), ArrowUp: at - 1, Home: 0, End: last }[event.key];
  if (to === undefined || at === -1) return;
  event.preventDefault();
  if (to < 0) focusFilter();
  else found[to]?.querySelector<HTMLElement>('a, button')?.focus();
}
