import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react';
import type { UserItem } from '../net/frames.ts';
import { Avatar } from './Avatar.tsx';
import { Dialog } from './Dialog.tsx';
import { hashOfPeople, useClient } from './hooks.ts';
import { type Search, useSearch } from './useSearch.ts';

export function NewConversation({ close }: { close(): void }) {
  const client = useClient();
  const [written, setWritten] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const prefix = written.trim().replace(/^@/, '').toLowerCase();

  useEffect(() => field.current?.focus(), []);

  const ask = useCallback((of: string, signal: AbortSignal) => client.search(of, signal), [client]);
  const search = useSearch(prefix === '' ? null : prefix, ask);

  const people = search.status === 'found' ? search.found : [];
  const talkTo = (user: string) => {
    location.hash = hashOfPeople([user]);
    close();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const chosen =
      people.find(({ user }) => user === prefix) ?? (people.length === 1 ? people[0] : undefined);
    if (chosen !== undefined) talkTo(chosen.user);
  };

  return (
    <Dialog title="New conversation" close={close}>
      <form onSubmit={submit}>
        <label className="field">
          <span>Find people</span>
          <input
            ref={field}
            type="search"
            value={written}
            onChange={(event) => setWritten(event.target.value)}
            placeholder="Handle"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={33}
          />
        </label>
      </form>
      <p className="search-note" role="status" aria-label="Search">
        {noteFor(search, prefix)}
      </p>
      <ul className="people" aria-label="People">
        {people.map(({ user, displayName }) => (
          <li key={user}>
            <button type="button" className="row" onClick={() => talkTo(user)}>
              <Avatar handle={user} name={displayName} />
              <span className="row-text">
                <span className="row-title">{user === client.me ? `${displayName} (you)` : displayName}</span>
                <span className="row-last">@{user}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

function noteFor(search: Search<UserItem[]>, prefix: string): string {
  switch (search.status) {
    case 'idle':
      return 'Type the first letters of a handle.';
    case 'searching':
      return 'Searching…';
    case 'failed':
      return search.message;
    case 'found':
      return search.found.length === 0 ? `Nobody’s handle begins with “${prefix}”.` : '';
  }
}
