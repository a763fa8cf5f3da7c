import { useEffect, useMemo, useRef, useState } from 'react';
import { unreadCount } from '../store/conversation.ts';
import { directKey } from '../store/state.ts';
import { Announcements } from './Announcements.tsx';
import { ConnectionBanner } from './ConnectionBanner.tsx';
import { ConversationList } from './ConversationList.tsx';
import { ConversationView } from './ConversationView.tsx';
import { useClient, useKnown, useRoute } from './hooks.ts';
import { LogOutIcon, PencilIcon } from './icons.tsx';
import { LogoutDialog } from './LogoutDialog.tsx';
import { NewConversation } from './NewConversation.tsx';
import './chat.css';

export function Chat({ logout }: { logout(): Promise<void> }) {
  const client = useClient();
  const people = useRoute();
  const key = useMemo(() => (people === null ? null : directKey([client.me, ...people])), [client, people]);
  const [choosing, setChoosing] = useState(false);
  const [leaving, setLeaving] = useState(false);
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
          <button
            type="button"
            className="icon-button"
            aria-label="New conversation"
            title="New conversation"
            onClick={() => setChoosing(true)}
          >
            <PencilIcon />
          </button>
        </header>
        <ConversationList open={key} onNew={() => setChoosing(true)} />
        <footer className="sidebar-foot">
          <span className="me">
            <span className="visually-hidden">Logged in as </span>@{client.me}
          </span>
          <button
            type="button"
            className="icon-button"
            aria-label="Log out"
            title="Log out"
            onClick={() => setLeaving(true)}
          >
            <LogOutIcon />
          </button>
        </footer>
      </nav>
      <main className="pane">
        {key === null ? (
          <div className="pane-empty">
            <p>Pick a conversation, or start a new one.</p>
            <button type="button" className="button primary" onClick={() => setChoosing(true)}>
              Start talking
            </button>
          </div>
        ) : (
          <ConversationView key={key} conversationKey={key} drafts={drafts.current} />
        )}
      </main>
      {choosing && <NewConversation close={() => setChoosing(false)} />}
      {leaving && <LogoutDialog logout={logout} close={() => setLeaving(false)} />}
    </div>
  );
}

/** The tab says how much waits to be read. */
function useTitle(): void {
  const { me } = useClient();
  const conversations = useKnown((state) => state.conversations);
  const unread = useMemo(
    () => [...conversations.values()].reduce((sum, conversation) => sum + unreadCount(conversation, me), 0),
    [conversations, me],
  );
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) Natter` : 'Natter';
  }, [unread]);
}
