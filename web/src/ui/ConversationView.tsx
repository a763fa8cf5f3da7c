import { useEffect, useMemo, useRef, useState } from 'react';
import type { AddOutcome } from '../outbox/outbox.ts';
import { unreadCount } from '../store/conversation.ts';
import { Avatar } from './Avatar.tsx';
import { BlockButton, BlockDialog, BlockedLine, BlockFaults, useBlocked } from './Blocking.tsx';
import { Composer, wordsFor } from './Composer.tsx';
import { DeleteDialog } from './DeleteDialog.tsx';
import { hereAndNow, lastSeen, titleOf, typingText } from './format.ts';
import { useClient, useKnown, useNow, useQueue } from './hooks.ts';
import { BackIcon } from './icons.tsx';
import type { MessageDeeds } from './MessageLine.tsx';
import { Timeline } from './Timeline.tsx';
import { entriesOf, linesOf } from './timeline.ts';
import { VersionsDialog } from './VersionsDialog.tsx';

/** What somebody is about to do to a message, or to look at. */
type Doing = { what: 'edit' | 'delete' | 'versions'; seq: number };

interface ConversationViewProps {
  conversationKey: string;
  /** What was written and not sent, by conversation. */
  drafts: Map<string, string>;
}

export function ConversationView({ conversationKey, drafts }: ConversationViewProps) {
  const client = useClient();
  const { me } = client;
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
  const other = others.length === 1 ? others[0] : undefined;
  const blocked = useBlocked(other ?? '');
  const [askingToBlock, setAskingToBlock] = useState(false);

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

  const [doing, setDoing] = useState<Doing | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const composer = useRef<HTMLTextAreaElement>(null);
  const toComposer = useRef(false);
  useEffect(() => {
    // After the dialog or the form is gone, for what had the focus before may be gone, too.
    if (doing !== null || !toComposer.current) return;
    toComposer.current = false;
    composer.current?.focus();
  }, [doing]);
  const deeds = useMemo((): MessageDeeds => {
    const outcome = (of: AddOutcome) => setProblem('fault' in of ? wordsFor(of.fault, 0) : null);
    return {
      react: (seq, emoji, op) => id !== undefined && outcome(client.react(id, seq, emoji, op)),
      edit: (seq) => setDoing({ what: 'edit', seq }),
      save: (seq, text) => (id === undefined ? { fault: 'empty' } : client.edit(id, seq, text)),
      closeEdit: () => {
        toComposer.current = true;
        setDoing(null);
      },
      askToDelete: (seq) => setDoing({ what: 'delete', seq }),
      showVersions: (seq) => setDoing({ what: 'versions', seq }),
    };
  }, [client, id]);
  const editLast = (): boolean => {
    const last = lines.findLast((line) => line.kind === 'message' && line.mine && !line.message.deleted);
    if (last?.kind !== 'message') return false;
    deeds.edit(last.message.seq);
    return true;
  };
  const remove = (seq: number) => {
    if (id === undefined) return;
    const of = client.delete(id, seq);
    setProblem('fault' in of ? wordsFor(of.fault, 0) : null);
    toComposer.current = true;
    setDoing(null);
  };
  const block = (to: boolean) => {
    setAskingToBlock(false);
    if (other === undefined) return;
    const of = client.block(other, to);
    setProblem('fault' in of ? wordsFor(of.fault, 0) : null);
  };
  const about = conversation?.messages.find(({ seq }) => seq === doing?.seq);

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
        {other !== undefined && (
          <BlockButton
            name={title}
            blocked={blocked}
            press={() => (blocked ? block(false) : setAskingToBlock(true))}
          />
        )}
      </header>
      <Timeline
        title={title}
        lines={lines}
        conversation={conversation}
        reading={reading}
        manyPeople={others.length > 1}
        editing={doing?.what === 'edit' ? doing.seq : null}
        deeds={deeds}
      />
      <Typing id={id} names={names} />
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {other !== undefined && <BlockFaults user={other} />}
      {blocked ? (
        <BlockedLine name={title} unblock={() => block(false)} />
      ) : (
        <Composer
          conversationKey={conversationKey}
          title={title}
          drafts={drafts}
          field={composer}
          editLast={editLast}
        />
      )}
      {askingToBlock && (
        <BlockDialog name={title} block={() => block(true)} close={() => setAskingToBlock(false)} />
      )}
      {doing?.what === 'delete' && about !== undefined && (
        <DeleteDialog text={about.text} remove={() => remove(about.seq)} close={() => setDoing(null)} />
      )}
      {doing?.what === 'versions' && id !== undefined && (
        <VersionsDialog conversation={id} seq={doing.seq} close={() => setDoing(null)} />
      )}
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
