import { type FormEvent, useEffect, useRef, useState } from 'react';
import type { UserItem } from '../net/frames.ts';
import { Problem } from '../net/problem.ts';
import { Avatar } from './Avatar.tsx';
import { Dialog } from './Dialog.tsx';
import { hashOfPeople, useClient } from './hooks.ts';

const SETTLE_MS = 150;

type Search =
  | { status: 'idle' }
  | { status: 'searching' }
  | { status: 'found'; people: UserItem[] }
  | { status: 'failed'; message: string };

export function NewConversation({ close }: { close(): void }) {
  const client = useClient();
  const [written, setWritten] = useState('');
  const [search, setSearch] = useState<Search>({ status: 'idle' });
  const field = useRef<HTMLInputElement>(null);
  const prefix = written.trim().replace(/^@/, '').toLowerCase();

  useEffect(() => field.current?.focus(), []);

  useEffect(() => {
    if (prefix === '') {
      setSearch({ status: 'idle' });
      return;
    }
    const abort = new AbortController();
    const timer = setTimeout(() => {
      setSearch((last) => (last.status === 'found' ? last : { status: 'searching' }));
      client.search(prefix, abort.signal).then(
        (people) => !abort.signal.aborted && setSearch({ status: 'found', people }),
        (error: unknown) => {
          if (abort.signal.aborted) return;
          const message = error instanceof Problem ? error.message : 'The search did not work.';
          setSearch({ status: 'failed', message });
        },
      );
    }, SETTLE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [client, prefix]);

  const people = search.status === 'found' ? search.people : [];
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

function noteFor(search: Search, prefix: string): string {
  switch (search.status) {
    case 'idle':
      return 'Type the first letters of a handle.';
    case 'searching':
      return 'Searching…';
    case 'failed':
      return search.message;
    case 'found':
      return search.people.length === 0 ? `Nobody’s handle begins with “${prefix}”.` : '';
  }
}
