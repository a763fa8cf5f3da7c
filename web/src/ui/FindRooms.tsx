import { useCallback, useEffect, useRef, useState } from 'react';
import type { Page, RoomItem } from '../net/frames.ts';
import { Dialog } from './Dialog.tsx';
import { EntryFault } from './EntryFault.tsx';
import { counted } from './format.ts';
import { hashOfRoom, useClient, useKnown } from './hooks.ts';
import { RoomMark } from './RoomMark.tsx';
import { useEnter } from './useEnter.ts';
import { type Search, useSearch } from './useSearch.ts';

/** The public rooms, to be joined. */
export function FindRooms({ close, make }: { close(): void; make(): void }) {
  const client = useClient();
  const [written, setWritten] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const words = written.trim();
  const ask = useCallback((of: string, signal: AbortSignal) => client.searchRooms(of, signal), [client]);
  const search = useSearch(words, ask);
  const { entry, problem, begin } = useEnter(close);
  const joining = entry?.kind === 'join' && entry.status !== 'failed' ? entry.to.conversation : null;

  useEffect(() => field.current?.focus(), []);

  const open = (id: string) => {
    location.hash = hashOfRoom(id);
    close();
  };

  return (
    <Dialog title="Find rooms" close={close}>
      <label className="field">
        <span>Name or topic</span>
        <input
          ref={field}
          type="search"
          value={written}
          onChange={(event) => setWritten(event.target.value)}
          autoComplete="off"
          maxLength={80}
        />
      </label>
      <p className="search-note" role="status" aria-label="Search">
        {noteFor(search, words)}
      </p>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {entry?.status === 'failed' && <EntryFault entry={entry} />}
      <ul className="people" aria-label="Rooms">
        {search.status === 'found' &&
          search.found.items.map((room) => (
            <FoundRoom
              key={room.conversation}
              room={room}
              joining={room.conversation === joining}
              open={() => open(room.conversation)}
              join={() => joining === null && begin(client.joinRoom(room.conversation, room.name))}
            />
          ))}
      </ul>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={make}>
          New room
        </button>
      </div>
    </Dialog>
  );
}

interface FoundRoomProps {
  room: RoomItem;
  joining: boolean;
  open(): void;
  join(): void;
}

function FoundRoom({ room, joining, open, join }: FoundRoomProps) {
  const { conversation, name, topic, visibility, members } = room;
  // What was found may be older than what happened since.
  const here = useKnown((state) => state.conversations.get(conversation)?.room != null);
  const gone = useKnown((state) => state.gone.has(conversation));
  const mine = here || (room.role !== null && !gone);
  const deed = mine ? 'Open' : joining ? 'Joining…' : 'Join';
  return (
    <li className="found-room">
      <RoomMark id={conversation} visibility={visibility} />
      <span className="row-text">
        <span className="row-title" dir="auto">
          {name}
        </span>
        <span className="row-last" dir="auto">
          {counted(members, 'member', 'members')}
          {topic !== '' && ` · ${topic}`}
        </span>
      </span>
      <button
        type="button"
        className={mine ? 'button small' : 'button small primary'}
        aria-label={`${deed} ${name}`}
        aria-disabled={joining}
        onClick={mine ? open : join}
      >
        {deed}
      </button>
    </li>
  );
}

function noteFor(search: Search<Page<RoomItem>>, words: string): string {
  switch (search.status) {
    case 'idle':
    case 'searching':
      return 'Searching…';
    case 'failed':
      return search.message;
    case 'found':
      if (search.found.next !== null) return 'There are more: search by name or topic.';
      if (search.found.items.length > 0) return '';
      return words === '' ? 'There are no public rooms yet.' : `No public room is called “${words}”.`;
  }
}
