import { useCallback, useEffect, useRef, useState } from 'react';
import { useClient, useKnown, useQueue } from '../../hooks/client.ts';
import type { Refused } from '../../hooks/outside.ts';
import { useWords } from '../../i18n/speech.tsx';
import { focusPast } from '../../kit/places.ts';
import { useSearch } from '../../kit/useSearch.ts';
import { conversationShown } from '../../store/shown.ts';
import { roomKey } from '../../store/state.ts';
import { WaitingLine } from '../message/WaitingLine.tsx';
import { refusalText } from '../outbox/faults.ts';
import { isJoining } from '../room/faultPlaces.ts';
import { RoomFaults } from '../room/RoomFaults.tsx';
import { goneText } from '../room/text.ts';
import { useEnter } from '../room/useEnter.ts';
import { entriesOf } from '../timeline/timeline.ts';
import { FoundRoom } from './FoundRoom.tsx';
import './directory.css';

/**
 * In place of a conversation that one is not in: why, and into a public room the way. What was written there and can't be
 * sent any more is not thrown away.
 */
export function Outside({ conversation, gone, open }: Refused) {
  const client = useClient();
  const words = useWords();
  const names = useKnown((state) => state.names);
  const entries = entriesOf(useQueue(), roomKey(conversation), undefined);
  const [asked, setAsked] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another one asks again
  const ask = useCallback((id: string, signal: AbortSignal) => client.room(id, signal), [client, asked]);
  const search = useSearch(open ? conversation : null, ask);
  const room = search.status === 'found' && search.found.visibility === 'public' ? search.found : null;
  const { entry, problem, begin } = useEnter();
  const joining = entry?.kind === 'join' && entry.status !== 'failed';
  const lookAgain = async () => {
    await client.lookFor(conversation);
    if (conversationShown(client.store.state, conversation) !== undefined) client.reread();
  };
  const back = useRef<HTMLAnchorElement>(null);
  // The field that one was writing in went with the conversation.
  useEffect(() => {
    if (document.activeElement === document.body) back.current?.focus();
  }, []);
  return (
    <div className="pane-empty">
      <p role="alert">
        {gone !== undefined
          ? goneText(gone, names, words)
          : open
            ? words.common.refusals.not_member
            : words.room.notThere}{' '}
        {gone === undefined && !open && (
          // A link may be quicker than what it leads to.
          <button type="button" className="link" onClick={() => void lookAgain()}>
            {words.common.tryAgain}
          </button>
        )}
      </p>
      {room !== null && (
        <ul className="rooms outside-room">
          <FoundRoom
            room={room}
            joining={joining}
            join={() => joining || begin(client.do({ kind: 'join', to: { conversation }, name: room.name }))}
          />
        </ul>
      )}
      {search.status === 'failed' && (
        <p className="problem" role="alert">
          {search.fault === null ? words.common.searchFailed : refusalText(search.fault, words.common)}{' '}
          <button
            type="button"
            className="link"
            onClick={({ currentTarget }) => {
              focusPast(currentTarget);
              setAsked(asked + 1);
            }}
          >
            {words.common.tryAgain}
          </button>
        </p>
      )}
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <RoomFaults of={(refused) => isJoining(refused, conversation)} />
      <a ref={back} className="button" href="#/">
        {words.room.backToList}
      </a>
      {entries.length > 0 && (
        <ol className="lines">
          {entries.map((waiting) => (
            <WaitingLine key={waiting.id} entry={waiting} joined={false} />
          ))}
        </ol>
      )}
    </div>
  );
}
