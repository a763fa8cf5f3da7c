import { type KeyboardEvent, useCallback, useEffect, useId, useMemo, useRef, useState } from 'react';
import { useClient, useKnown } from '../../hooks/client.ts';
import type { Catalogue } from '../../i18n/en.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Avatar } from '../../kit/Avatar.tsx';
import { isolate } from '../../kit/bidi.ts';
import { isComposing } from '../../kit/composing.ts';
import { CloseIcon } from '../../kit/icons.tsx';
import { Handle, Name } from '../../kit/Name.tsx';
import { type Search, useSearch } from '../../kit/useSearch.ts';
import type { UserItem } from '../../net/frames.ts';
import { refusalText } from '../outbox/faults.ts';
import { foundPeople } from './found.ts';
import './people.css';

interface PeoplePickerProps {
  /** Handles, in the order in which they were chosen. */
  chosen: readonly string[];
  choose(chosen: readonly string[]): void;
  /** As many as may be chosen. */
  most: number;
  /** Why somebody can't be chosen, where they can't. Stays the same. */
  whyNot?: ((user: string) => string | null) | undefined;
  /** Not the first thing that one fills in. */
  later?: boolean;
}

/** Finds people and collects them: each one chosen stands above, and is taken back there. */
export function PeoplePicker({ chosen, choose, most, whyNot, later = false }: PeoplePickerProps) {
  const client = useClient();
  const words = useWords();
  const { people: said } = words;
  const [written, setWritten] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const note = useId();
  const names = useKnown((state) => state.names);
  const sought = written.trim().replace(/^@/, '');
  const prefix = sought.toLowerCase();
  const ask = useCallback((of: string, signal: AbortSignal) => client.search(of, signal), [client]);
  const search = useSearch(prefix === '' ? null : prefix, ask);
  const found = useMemo(
    () => (sought === '' ? [] : foundPeople(search.status === 'found' ? search.found : [], names, sought)),
    [names, search, sought],
  );
  const isFull = chosen.length >= most;

  useEffect(() => {
    if (!later) field.current?.focus();
  }, [later]);

  const pick = (user: string) => {
    if (chosen.includes(user)) choose(chosen.filter((other) => other !== user));
    else if (!isFull && (whyNot?.(user) ?? null) === null) choose([...chosen, user]);
    else return;
    setWritten('');
    field.current?.focus();
  };
  const press = (event: KeyboardEvent) => {
    if (isComposing(event.nativeEvent)) return;
    if (event.key === 'Backspace' && written === '') choose(chosen.slice(0, -1));
    if (event.key !== 'Enter' || sought === '') return;
    // With something written Enter chooses; only with nothing it goes on to what the form does.
    event.preventDefault();
    const meant = found.find(({ user }) => user === prefix) ?? (found.length === 1 ? found[0] : undefined);
    if (meant !== undefined) pick(meant.user);
  };

  return (
    <div className="picker">
      <label className="field">
        <span>{said.findPeople}</span>
        <input
          ref={field}
          type="search"
          value={written}
          onChange={(event) => setWritten(event.target.value)}
          onKeyDown={press}
          placeholder={said.nameOrHandle}
          aria-describedby={note}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={64}
        />
      </label>
      {chosen.length > 0 && (
        <ul className="chips" aria-label={said.chosen}>
          {chosen.map((user) => {
            const name = names.get(user) ?? user;
            return (
              <li key={user}>
                <button
                  type="button"
                  className="chip"
                  aria-label={said.takeBack(isolate(name))}
                  onClick={() => pick(user)}
                >
                  <Name>{name}</Name>
                  <CloseIcon />
                </button>
              </li>
            );
          })}
        </ul>
      )}
      <p id={note} className="search-note" role="status" aria-label={words.common.search}>
        {isFull ? said.enough(most) : noteFor(search, sought, found.length, words)}
      </p>
      <ul className="people" aria-label={said.people}>
        {found.map(({ user, displayName }) => {
          const no = whyNot?.(user) ?? null;
          const isChosen = chosen.includes(user);
          return (
            <li key={user}>
              <button
                type="button"
                className="row"
                aria-pressed={isChosen}
                aria-disabled={no !== null || (isFull && !isChosen)}
                onClick={() => pick(user)}
              >
                <Avatar handle={user} name={displayName} />
                <span className="row-text">
                  <span className="row-title">
                    {user === client.me ? said.thatIsYou(isolate(displayName)) : <Name>{displayName}</Name>}
                  </span>
                  <span className="row-last">
                    <Handle of={user} />
                    {no !== null && ` · ${no}`}
                  </span>
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function noteFor(
  search: Search<UserItem[]>,
  sought: string,
  found: number,
  { common, people }: Catalogue,
): string {
  switch (search.status) {
    case 'idle':
      return people.typeFirstLetters;
    case 'searching':
      return common.searching;
    case 'failed':
      return search.fault === null ? common.searchFailed : refusalText(search.fault, common);
    case 'found':
      return found === 0 ? people.nobody(sought) : '';
  }
}
