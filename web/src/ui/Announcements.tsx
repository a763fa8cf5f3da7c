import { useEffect, useRef, useState } from 'react';
import { keyOf, type State } from '../store/state.ts';
import { useClient, useKnown } from './hooks.ts';

const MAX_LENGTH = 160;

/** Says a new message aloud to those who listen to the page; history that is loaded stays silent. */
export function Announcements({ open }: { open: string | null }) {
  const { me } = useClient();
  const conversations = useKnown((state) => state.conversations);
  const names = useKnown((state) => state.names);
  const blocked = useKnown((state) => state.blocked);
  const heard = useRef<State['conversations'] | null>(null);
  const [words, setWords] = useState('');

  useEffect(() => {
    const before = heard.current;
    heard.current = conversations;
    if (before === null) return;
    for (const [id, conversation] of conversations) {
      const known = before.get(id)?.messages.at(-1);
      const last = conversation.messages.at(-1);
      if (known === undefined || last === undefined || last.seq <= known.seq || last.sender === me) continue;
      if (blocked.has(last.sender)) continue;
      const from = names.get(last.sender) ?? last.sender;
      const here = keyOf(conversation) === open;
      if (conversation.muted && !here) continue;
      const where = conversation.room === null ? '' : ` in ${conversation.room.name}`;
      setWords(here ? `${from}: ${last.text.slice(0, MAX_LENGTH)}` : `New message from ${from}${where}`);
    }
  }, [blocked, conversations, me, names, open]);

  return (
    <div className="visually-hidden" role="status" aria-label="New messages" aria-live="polite">
      {words}
    </div>
  );
}
