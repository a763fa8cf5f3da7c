import { useMemo } from 'react';
import { useClient, useKnown, useQueue } from './hooks.ts';
import { ListRow } from './ListRow.tsx';
import { rowsOf } from './rows.ts';

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
