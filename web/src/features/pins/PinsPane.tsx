/** What is pinned in a conversation, by whom and since when. */
import { useState } from 'react';
import { SidePane } from '../../app/SidePane.tsx';
import { useClient, useConversation, useKnown, useQueue, useTold } from '../../hooks/client.ts';
import { closePane } from '../../hooks/pane.ts';
import { useSpeech, useWords } from '../../i18n/speech.tsx';
import { nameOf } from '../../kit/people.ts';
import { focusPast } from '../../kit/places.ts';
import { ago, fullTime } from '../../kit/time.ts';
import { may } from '../../net/rights.ts';
import { isChange } from '../../outbox/pending.ts';
import type { Listed } from '../../store/listings.ts';
import { idShown } from '../../store/shown.ts';
import { ListedMessage } from '../listed/ListedMessage.tsx';
import { ListingBody } from '../listed/ListingBody.tsx';
import { useListed } from '../listed/useListing.ts';
import { EntryFault } from '../outbox/EntryFault.tsx';
import { faultText } from '../outbox/faults.ts';
import { stillPinned } from './pinned.ts';
import './pins.css';

export function PinsPane({ conversationKey }: { conversationKey: string }) {
  const client = useClient();
  const { common, pins } = useWords();
  const id = useKnown((state) => idShown(state, conversationKey));
  const conversation = useConversation(id);
  const listing = useListed('pins', id);
  const queue = useQueue();
  const [problem, setProblem] = useState<string | null>(null);
  const items = stillPinned(listing?.items ?? [], queue.entries, client.me);
  const mayPin =
    (conversation?.kind === 'direct' || may(conversation?.role ?? null, 'pin')) &&
    listing?.reading.status === 'done';
  const unpin = ({ conversation: of, message }: Listed, row: Element | null) => {
    const outcome = client.do({ kind: 'pin', to: { conversation: of }, message: message.seq, op: 'remove' });
    setProblem('fault' in outcome ? faultText(outcome.fault, 0, common) : null);
    if (!('fault' in outcome) && row !== null) focusPast(row);
  };
  return (
    <SidePane title={pins.title} close={closePane}>
      <div className="side-pane-body">
        {problem !== null && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        {listing === undefined ? (
          <p className="side-note">{pins.none}</p>
        ) : (
          <ListingBody listing={listing} name={pins.title} empty={pins.none} more={pins.more}>
            {items.map((item) => (
              <PinnedRow
                key={item.message.seq}
                item={item}
                unpin={mayPin ? (row) => unpin(item, row) : null}
                failed={queue.entries.filter(
                  (entry) =>
                    isChange(entry) &&
                    entry.kind === 'pin' &&
                    entry.status === 'failed' &&
                    entry.to.conversation === id &&
                    entry.message === item.message.seq,
                )}
              />
            ))}
          </ListingBody>
        )}
      </div>
    </SidePane>
  );
}

interface PinnedRowProps {
  item: Listed;
  /** Null for whoever may not. */
  unpin: ((row: Element | null) => void) | null;
  failed: Parameters<typeof EntryFault>[0]['entry'][];
}

function PinnedRow({ item, unpin, failed }: PinnedRowProps) {
  const { me } = useClient();
  const { words, calendar } = useSpeech();
  const { common, message, pins } = words;
  const names = useKnown((state) => state.names);
  const { by = '', at = '' } = item.pinned ?? {};
  const since = useTold((now) => ago(at, now, calendar));
  const who = by === me ? common.people.you : nameOf(by, names, common.people);
  return (
    <ListedMessage item={item}>
      <div className="listed-foot">
        <span className="listed-note" title={fullTime(at, calendar)}>
          {pins.by(who, since)}
        </span>
        {unpin !== null && (
          <button
            type="button"
            className="link"
            onClick={({ currentTarget }) => unpin(currentTarget.closest('.listed'))}
          >
            {message.unpin}
          </button>
        )}
      </div>
      {failed.map((entry) => (
        <EntryFault key={entry.id} entry={entry} />
      ))}
    </ListedMessage>
  );
}
