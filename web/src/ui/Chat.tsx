import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { unreadCount } from '../store/conversation.ts';
import { roomOfKey } from '../store/state.ts';
import { Announcements } from './Announcements.tsx';
import { ConnectionBanner } from './ConnectionBanner.tsx';
import { ConversationList } from './ConversationList.tsx';
import { ConversationView } from './ConversationView.tsx';
import { FindRooms } from './FindRooms.tsx';
import { GoneRoom } from './GoneRoom.tsx';
import { useClient, useKnown, useRoute } from './hooks.ts';
import { HashIcon, LogOutIcon, PencilIcon } from './icons.tsx';
import { LogoutDialog } from './LogoutDialog.tsx';
import { NewConversation } from './NewConversation.tsx';
import { NewRoom } from './NewRoom.tsx';
import { RoomFaults } from './RoomFaults.tsx';
import './chat.css';

export function Chat({ logout }: { logout(): Promise<void> }) {
  const client = useClient();
  const key = useRoute(client.me);
  const gone = useKnown((state) => (key === null ? undefined : state.gone.get(roomOfKey(key) ?? '')));
  const [dialog, setDialog] = useState<'people' | 'rooms' | 'room' | 'log_out' | null>(null);
  const close = useCallback(() => setDialog(null), []);
  const drafts = useRef(new Map<string, string>());
  useTitle();

  useEffect(() => client.open(key), [client, key]);

  return (
    <div className={key === null ? 'chat' : 'chat chat-open'}>
      <ConnectionBanner />
      <Announcements open={key} />
      <nav className="sidebar" aria-label="Conversations">
        <header className="sidebar-head">
          <h1 className="wordmark small">Natter</h1>
          <span>
            <button
              type="button"
              className="icon-button"
              aria-label="New conversation"
              title="New conversation"
              onClick={() => setDialog('people')}
            >
              <PencilIcon />
            </button>
            <button
              type="button"
              className="icon-button"
              aria-label="Find rooms"
              title="Find rooms"
              onClick={() => setDialog('rooms')}
            >
              <HashIcon />
            </button>
          </span>
        </header>
        <RoomFaults of={({ kind }) => kind !== 'leave'} />
        <ConversationList open={key} onNew={() => setDialog('people')} />
        <footer className="sidebar-foot">
          <span className="me">
            <span className="visually-hidden">Logged in as </span>@{client.me}
          </span>
          <button
            type="button"
            className="icon-button"
            aria-label="Log out"
            title="Log out"
            onClick={() => setDialog('log_out')}
          >
            <LogOutIcon />
          </button>
        </footer>
      </nav>
      <main className="pane">
        {key === null ? (
          <div className="pane-empty">
            <p>Pick a conversation, or start a new one.</p>
            <button type="button" className="button primary" onClick={() => setDialog('people')}>
              Start talking
            </button>
          </div>
        ) : gone !== undefined ? (
          <GoneRoom roomKey={key} gone={gone} />
        ) : (
          <ConversationView key={key} conversationKey={key} drafts={drafts.current} />
        )}
      </main>
      {dialog === 'people' && <NewConversation close={close} />}
      {dialog === 'rooms' && <FindRooms close={close} make={() => setDialog('room')} />}
      {dialog === 'room' && <NewRoom close={close} />}
      {dialog === 'log_out' && <LogoutDialog logout={logout} close={close} />}
    </div>
  );
}

/** The tab says how much waits to be read. */
function useTitle(): void {
  const { me } = useClient();
  const conversations = useKnown((state) => state.conversations);
  const unread = useMemo(
    () =>
      [...conversations.values()]
        .filter(({ muted }) => !muted)
        .reduce((sum, conversation) => sum + unreadCount(conversation, me), 0),
    [conversations, me],
  );
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) Natter` : 'Natter';
  }, [unread]);
}
