/** The threads of a conversation, the one in which something was said last first. */
import { useMemo } from 'react';
import { SidePane } from '../../app/SidePane.tsx';
import { useKnown, useQueue } from '../../hooks/client.ts';
import { closePane, showPane } from '../../hooks/pane.ts';
import { hashOf, useRoute } from '../../hooks/route.ts';
import { useWords } from '../../i18n/speech.tsx';
import type { Listed } from '../../store/listings.ts';
import { idShown } from '../../store/shown.ts';
import { ListedMessage } from '../listed/ListedMessage.tsx';
import { ListingBody } from '../listed/ListingBody.tsx';
import { useListing } from '../listed/useListing.ts';
import { RepliesLine } from '../message/RepliesLine.tsx';
import './threads.css';

export function ThreadsPane({ conversationKey }: { conversationKey: string }) {
  const { threads } = useWords();
  const id = useKnown((state) => idShown(state, conversationKey));
  const listing = useListing('threads', id);
  const items = useMemo(() => byActivity(listing?.items ?? []), [listing]);
  return (
    <SidePane title={threads.title} close={closePane}>
      <div className="side-pane-body">
        {listing === undefined ? (
          <p className="side-note">{threads.none}</p>
        ) : (
          <ListingBody listing={listing} name={threads.title} empty={threads.none} more={threads.more}>
            {items.map((item) => (
              <ThreadRow key={item.message.seq} item={item} />
            ))}
          </ListingBody>
        )}
      </div>
    </SidePane>
  );
}

function ThreadRow({ item }: { item: Listed }) {
  const { threads } = useWords();
  const route = useRoute();
  const queue = useQueue();
  const { seq, replies } = item.message;
  const pane = { name: 'thread', root: seq } as const;
  const href = route.page === 'conversation' ? hashOf({ ...route, pane }) : undefined;
  const unsent = queue.entries.some(
    (entry) =>
      entry.kind === 'send' &&
      entry.status === 'failed' &&
      entry.thread === seq &&
      'conversation' in entry.to &&
      entry.to.conversation === item.conversation,
  );
  return (
    <ListedMessage item={item} {...(href !== undefined && { href })}>
      <div className="listed-foot">
        {replies !== null && <RepliesLine replies={replies} open={() => showPane(pane)} />}
        {unsent && <span className="thread-unsent">{threads.notSent}</span>}
      </div>
    </ListedMessage>
  );
}

export function byActivity(items: readonly Listed[]): readonly Listed[] {
  const last = ({ message }: Listed) => message.replies?.lastAt ?? message.at;
  return [...items].sort((a, b) => (last(a) < last(b) ? 1 : last(a) > last(b) ? -1 : 0));
}
