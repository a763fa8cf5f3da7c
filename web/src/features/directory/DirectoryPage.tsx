import { useEffect, useState } from 'react';
import { BackLink } from '../../app/BackLink.tsx';
import { useDialogs } from '../../app/dialogs.tsx';
import { useClient, useKnown } from '../../hooks/client.ts';
import { useVisible } from '../../hooks/page.ts';
import { useWords } from '../../i18n/speech.tsx';
import { PlusIcon } from '../../kit/icons.tsx';
import type { Directory } from '../../store/directory.ts';
import { EntryFault } from '../outbox/EntryFault.tsx';
import { refusalText } from '../outbox/faults.ts';
import { useEnter } from '../room/useEnter.ts';
import { FoundRoom } from './FoundRoom.tsx';
import '../room/room.css';
import './directory.css';

const SETTLE_MS = 150;

/** The public rooms: looked through, joined, and where there are none yet, explained. */
export function DirectoryPage() {
  const client = useClient();
  const { common, directory: said } = useWords();
  const dialogs = useDialogs();
  const directory = useKnown((state) => state.directory);
  const [written, setWritten] = useState('');
  const [archived, setArchived] = useState(false);
  const { entry, problem, begin } = useEnter();
  const joining = entry?.kind === 'join' && entry.status !== 'failed' ? entry.to.conversation : null;
  const words = written.trim();
  const visible = useVisible();

  useEffect(() => {
    // Whoever comes back to it sees what is there by then: nobody tells of rooms that one is not in.
    if (!visible) return;
    const timer = setTimeout(() => void client.directory.ask({ words, archived }), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [client, words, archived, visible]);
  useEffect(() => () => client.directory.close(), [client]);

  return (
    <section className="page directory" aria-label={said.title}>
      <header className="conversation-head">
        <BackLink />
        <h2>{said.title}</h2>
        <button
          type="button"
          className="button primary with-icon page-action"
          onClick={() => dialogs.show('room')}
        >
          <PlusIcon />
          {said.newRoom}
        </button>
      </header>
      <div className="page-body">
        <p className="page-intro">{said.intro}</p>
        <form className="directory-search" onSubmit={(event) => event.preventDefault()}>
          <label className="field">
            <span>{said.nameOrTopic}</span>
            <input
              type="search"
              value={written}
              onChange={(event) => setWritten(event.target.value)}
              autoComplete="off"
              maxLength={80}
            />
          </label>
          <label className="choice">
            <input
              type="checkbox"
              checked={archived}
              onChange={(event) => setArchived(event.target.checked)}
            />
            <span>{said.archivedOnes}</span>
          </label>
        </form>
        <p className="search-note" role="status" aria-label={common.search}>
          {noteFor(directory, said, common.searching)}
        </p>
        {directory?.reading.status === 'failed' && (
          <p className="problem" role="alert">
            {refusalText(directory.reading.fault, common)}{' '}
            <button type="button" className="link" onClick={() => client.directory.reread()}>
              {common.tryAgain}
            </button>
          </p>
        )}
        {problem !== null && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        {entry?.status === 'failed' && <EntryFault entry={entry} />}
        {isEmpty(directory) && !archived && words === '' && (
          <div className="directory-empty">
            <p>{said.noneMeans}</p>
            <button type="button" className="button" onClick={() => dialogs.show('room')}>
              {said.newRoom}
            </button>
          </div>
        )}
        <ul className="rooms" aria-label={said.title}>
          {directory?.rooms.map((room) => (
            <FoundRoom
              key={room.conversation}
              room={room}
              joining={room.conversation === joining}
              join={() =>
                joining === null &&
                begin(client.do({ kind: 'join', to: { conversation: room.conversation }, name: room.name }))
              }
            />
          ))}
        </ul>
        {directory !== null && directory.next !== null && (
          <button type="button" className="button" onClick={() => void client.directory.more()}>
            {said.more}
          </button>
        )}
      </div>
    </section>
  );
}

function isEmpty(directory: Directory | null): boolean {
  return directory?.reading.status === 'done' && directory.rooms.length === 0;
}

type Words = ReturnType<typeof useWords>['directory'];

function noteFor(directory: Directory | null, said: Words, searching: string): string {
  if (directory === null || directory.reading.status === 'loading') return searching;
  if (directory.reading.status === 'failed') return '';
  const { rooms, next, words, archived } = directory;
  if (rooms.length > 0) return said.found(rooms.length, next !== null);
  if (words !== '') return said.noneCalled(words);
  return archived ? said.noneArchived : said.none;
}
