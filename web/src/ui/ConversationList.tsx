import { memo, useMemo } from 'react';
import type { Entry, SendEntry } from '../outbox/queue.ts';
import { unreadCount } from '../store/conversation.ts';
import { type Conversation, directKey } from '../store/state.ts';
import { Avatar } from './Avatar.tsx';
import { hereAndNow, shortTime, titleOf } from './format.ts';
import { hashOfPeople, useClient, useKnown, useNow, useQueue } from './hooks.ts';

export function ConversationList({ open, onNew }: { open: string | null; onNew(): void }) {
  const client = useClient();
  const list = useKnown((state) => state.list);
  const listNext = useKnown((state) => state.listNext);
  const conversations = useKnown((state) => state.conversations);
  const { entries } = useQueue();
  const rows = useMemo(() => rowsOf(conversations, entries, client.me), [conversations, entries, client]);

  if (rows.length === 0) {
    if (list.status === 'loading') return <p className="list-note">Loading conversations…</p>;
    if (list.status === 'done') {
      return (
        <div className="list-note">
          <p>No conversations yet.</p>
          <button type="button" className="button" onClick={onNew}>
            Find someone
          </button>
        </div>
      );
    }
  }
  return (
    <div className="list-scroll">
      {list.status === 'failed' && (
        <p className="list-note" role="alert">
          {list.message}{' '}
          <button type="button" className="link" onClick={() => client.reread()}>
            Try again
          </button>
        </p>
      )}
      <ul className="list">
        {rows.map((row) => (
          <ListRow key={row.key} row={row} current={row.key === open} />
        ))}
      </ul>
      {listNext !== null && (
        <button type="button" className="button wide" onClick={() => void client.loadMoreConversations()}>
          More conversations
        </button>
      )}
    </div>
  );
}

interface Row {
  key: string;
  others: string[];
  conversation: Conversation | null;
  waiting: SendEntry | undefined;
  activity: string;
}

/** Conversations that have something in them, also those that exist so far only in the outbox. */
function rowsOf(
  conversations: ReadonlyMap<string, Conversation>,
  entries: readonly Entry[],
  me: string,
): Row[] {
  const rows = new Map<string, Row>();
  for (const conversation of conversations.values()) {
    if (conversation.kind !== 'direct' || conversation.participants.length === 0) continue;
    const key = directKey(conversation.participants);
    rows.set(key, {
      key,
      others: conversation.participants.filter((user) => user !== me),
      conversation,
      waiting: undefined,
      activity: conversation.lastActivity,
    });
  }
  for (const entry of entries) {
    if (entry.kind !== 'send') continue;
    const { to } = entry;
    const key = directKey(
      'participants' in to ? to.participants : (conversations.get(to.conversation)?.participants ?? []),
    );
    if (key === '') continue;
    const others = key.split(',').filter((user) => user !== me);
    const row = rows.get(key) ?? { key, others, conversation: null, waiting: undefined, activity: '' };
    const written = new Date(entry.composedAt).toISOString();
    rows.set(key, { ...row, waiting: entry, activity: written > row.activity ? written : row.activity });
  }
  return [...rows.values()].sort((a, b) => (a.activity < b.activity ? 1 : a.activity > b.activity ? -1 : 0));
}

const ListRow = memo(function ListRow({ row, current }: { row: Row; current: boolean }) {
  const { me } = useClient();
  const names = useKnown((state) => state.names);
  const [first = me] = row.others;
  const presence = useKnown((state) => (row.others.length === 1 ? state.presence.get(first) : undefined));
  const now = useNow(false);
  const title = titleOf(row.others, names);
  const unread = row.conversation === null ? 0 : unreadCount(row.conversation, me);
  const last = row.conversation?.messages.at(-1);
  const online = presence !== undefined && presence.status !== 'offline';
  return (
    <li>
      <a
        className={current ? 'row row-current' : 'row'}
        href={hashOfPeople(row.others.length === 0 ? [me] : row.others)}
        aria-current={current ? 'true' : undefined}
      >
        <Avatar handle={first} name={title} presence={presence?.status} />
        <span className="row-text">
          <span className="row-top">
            <span className="row-title">{title}</span>
            {online && <span className="visually-hidden">({presence.status})</span>}
            <time className="row-time" dateTime={row.activity}>
              {shortTime(row.activity, now, hereAndNow)}
            </time>
          </span>
          <span className="row-bottom">
            <span className="row-last">
              {row.waiting !== undefined ? (
                <>
                  <span className={row.waiting.status === 'failed' ? 'row-failed' : 'row-waiting'}>
                    {row.waiting.status === 'failed' ? 'Not sent: ' : 'Waiting: '}
                  </span>
                  {row.waiting.text}
                </>
              ) : (
                <>
                  {last !== undefined && last.sender === me && 'You: '}
                  {last?.deleted === true ? 'Message deleted' : last?.text}
                </>
              )}
            </span>
            {unread > 0 && (
              <span className="badge">
                {unread > 999 ? '999+' : unread}
                <span className="visually-hidden"> unread</span>
              </span>
            )}
          </span>
        </span>
      </a>
    </li>
  );
});
