import { useEffect, useRef, useState } from 'react';
import { plain } from '../features/message/text/plain.ts';
import { useClient, useKnown } from '../hooks/client.ts';
import { useWords } from '../i18n/speech.tsx';
import { isolate } from '../kit/bidi.ts';
import { nameOf } from '../kit/people.ts';
import { keyOf, type State } from '../store/state.ts';

const MAX_LENGTH = 160;

/** Says a new message aloud to those who listen to the page; history that is loaded stays silent. */
export function Announcements({ open }: { open: string | null }) {
  const { me } = useClient();
  const { app, common } = useWords();
  const conversations = useKnown((state) => state.conversations);
  const names = useKnown((state) => state.names);
  const blocked = useKnown((state) => state.blocked);
  const heard = useRef<State['conversations'] | null>(null);
  const [said, setSaid] = useState({ n: 0, text: '' });

  useEffect(() => {
    const before = heard.current;
    heard.current = conversations;
    if (before === null) return;
    for (const [id, conversation] of conversations) {
      const known = before.get(id)?.last;
      const { last } = conversation;
      if (known == null || last === null || last.seq <= known.seq || last.sender === me) continue;
      if (blocked.has(last.sender)) continue;
      const from = nameOf(last.sender, names, common.people);
      const here = keyOf(conversation) === open;
      if (conversation.preferences.muted && !here) continue;
      const elsewhere =
        conversation.room === null
          ? app.newMessageFrom(from)
          : app.newMessageIn(from, isolate(conversation.room.name));
      const text = here ? app.spoken(from, plain(last.text).slice(0, MAX_LENGTH)) : elsewhere;
      setSaid(({ n }) => ({ n: n + 1, text }));
    }
  }, [app, blocked, common, conversations, me, names, open]);

  return (
    <div className="visually-hidden" role="status" aria-label={app.newMessages} aria-live="polite">
      {/* Another element each time: the same words in the same one would be heard once. */}
      <p key={said.n}>{said.text}</p>
    </div>
  );
}
