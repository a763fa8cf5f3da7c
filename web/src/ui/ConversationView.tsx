import { useMemo, useState } from 'react';
import { unreadCount } from '../store/conversation.ts';
import { Avatar } from './Avatar.tsx';
import { Composer } from './Composer.tsx';
import { hereAndNow, lastSeen, titleOf, typingText } from './format.ts';
import { useClient, useKnown, useNow, useQueue } from './hooks.ts';
import { BackIcon } from './icons.tsx';
import { Timeline } from './Timeline.tsx';
import { entriesOf, linesOf } from './timeline.ts';

interface ConversationViewProps {
  conversationKey: string;
  /** What was written and not sent, by conversation. */
  drafts: Map<string, string>;
}

export function ConversationView({ conversationKey, drafts }: ConversationViewProps) {
  const { me } = useClient();
  const names = useKnown((state) => state.names);
  const id = useKnown((state) => state.direct.get(conversationKey));
  const conversation = useKnown((state) => (id === undefined ? undefined : state.conversations.get(id)));
  const reading = useKnown((state) => state.readings.get(conversationKey));
  const queue = useQueue();
  const others = useMemo(
    () => conversationKey.split(',').filter((user) => user !== me),
    [conversationKey, me],
  );
  const title = titleOf(others, names);

  // Where the reader had been when this was opened; the line above what is new stays there while it is read.
  const [readBefore, setReadBefore] = useState<number | null | undefined>(undefined);
  if (readBefore === undefined && reading?.status === 'done') {
    const behind = conversation !== undefined && unreadCount(conversation, me) > 0;
    setReadBefore(behind ? (conversation.read.get(me) ?? 0) : null);
  }
  const lines = useMemo(
    () =>
      linesOf(
        conversation,
        entriesOf(queue, conversationKey, conversation),
        me,
        readBefore ?? null,
        hereAndNow,
      ),
    [conversation, queue, conversationKey, me, readBefore],
  );

  return (
    <section className="conversation" aria-label={`Conversation with ${title}`}>
      <header className="conversation-head">
        <a className="icon-button back" href="#/" aria-label="Back to conversations">
          <BackIcon />
        </a>
        <Avatar handle={others[0] ?? me} name={title} />
        <div className="conversation-who">
          <h2>{title}</h2>
          <p className="conversation-sub">
            <Presence others={others} />
          </p>
        </div>
      </header>
      <Timeline
        title={title}
        lines={lines}
        conversation={conversation}
        reading={reading}
        manyPeople={others.length > 1}
      />
      <Typing id={id} names={names} />
      <Composer conversationKey={conversationKey} title={title} drafts={drafts} />
    </section>
  );
}

function Presence({ others }: { others: readonly string[] }) {
  const [first = ''] = others;
  const presence = useKnown((state) => state.presence.get(first));
  const now = useNow(false);
  if (others.length === 0) return null;
  const handles = others.map((user) => `@${user}`).join(' ');
  if (others.length > 1 || presence === undefined) return handles;
  if (presence.status !== 'offline') {
    return (
      <>
        <span className={`presence presence-${presence.status}`}>{capitalised(presence.status)}</span> ·{' '}
        {handles}
      </>
    );
  }
  const seen = presence.lastSeen === undefined ? 'Offline' : lastSeen(presence.lastSeen, now, hereAndNow);
  return `${seen} · ${handles}`;
}

function Typing({ id, names }: { id: string | undefined; names: ReadonlyMap<string, string> }) {
  const typing = useKnown((state) => (id === undefined ? undefined : state.typing.get(id)));
  return (
    <p className="typing" role="status" aria-label="Typing">
      {typingText([...(typing?.keys() ?? [])], names)}
    </p>
  );
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
