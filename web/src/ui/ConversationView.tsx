import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { AddOutcome } from '../outbox/outbox.ts';
import { unreadCount } from '../store/conversation.ts';
import { idOfKey, peopleOfKey, roomOfKey } from '../store/state.ts';
import { BackLink } from './BackLink.tsx';
import { BlockDialog, BlockedLine, BlockFaults, useBlocked } from './Blocking.tsx';
import { Composer, wordsFor } from './Composer.tsx';
import { DeleteDialog } from './DeleteDialog.tsx';
import { DirectHead } from './DirectHead.tsx';
import { hereAndNow, titleOf, typingText } from './format.ts';
import { useClient, useKnown, useQueue } from './hooks.ts';
import type { MessageDeeds } from './MessageLine.tsx';
import { RoomFaults } from './RoomFaults.tsx';
import { RoomHead } from './RoomHead.tsx';
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
  const id = useKnown((state) => idOfKey(state, conversationKey));
  const conversation = useKnown((state) => (id === undefined ? undefined : state.conversations.get(id)));
  const reading = useKnown((state) => state.readings.get(conversationKey));
  const queue = useQueue();
  const others = useMemo(
    () => peopleOfKey(conversationKey).filter((user) => user !== me),
    [conversationKey, me],
  );
  const roomId = roomOfKey(conversationKey);
  const room = conversation?.room ?? null;
  const title = roomId === null ? titleOf(others, names) : (room?.name ?? 'this room');
  const other = others.length === 1 ? others[0] : undefined;
  const blocked = useBlocked(other ?? '');
  const archived = room?.archived === true;
  const writable = !blocked && !archived && (roomId === null || room !== null);
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
  const outcome = useCallback(
    (of: AddOutcome) => setProblem('fault' in of ? wordsFor(of.fault, 0) : null),
    [],
  );
  const composer = useRef<HTMLTextAreaElement>(null);
  const toComposer = useRef(false);
  useEffect(() => {
    // After the dialog or the form is gone, for what had the focus before may be gone, too.
    if (doing !== null || !toComposer.current) return;
    toComposer.current = false;
    composer.current?.focus();
  }, [doing]);
  const deeds = useMemo((): MessageDeeds => {
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
  }, [client, id, outcome]);
  const editLast = (): boolean => {
    const last = lines.findLast((line) => line.kind === 'message' && line.mine && !line.message.deleted);
    if (last?.kind !== 'message') return false;
    deeds.edit(last.message.seq);
    return true;
  };
  const remove = (seq: number) => {
    if (id === undefined) return;
    outcome(client.delete(id, seq));
    toComposer.current = true;
    setDoing(null);
  };
  const block = (to: boolean) => {
    setAskingToBlock(false);
    if (other !== undefined) outcome(client.block(other, to));
  };
  const about = conversation?.messages.find(({ seq }) => seq === doing?.seq);

  return (
    <section
      className="conversation"
      aria-label={roomId === null ? `Conversation with ${title}` : `Room ${title}`}
    >
      {roomId === null ? (
        <DirectHead
          others={others}
          title={title}
          blocked={blocked}
          pressBlock={() => (blocked ? block(false) : setAskingToBlock(true))}
        />
      ) : room !== null ? (
        <RoomHead id={roomId} room={room} outcome={outcome} />
      ) : (
        <header className="conversation-head">
          <BackLink />
          <h2>Room</h2>
        </header>
      )}
      <Timeline
        title={title}
        lines={lines}
        conversation={conversation}
        reading={reading}
        manyPeople={roomId !== null || others.length > 1}
        editing={doing?.what === 'edit' ? doing.seq : null}
        settled={archived}
        deeds={deeds}
      />
      <Typing id={id} names={names} />
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {other !== undefined && <BlockFaults user={other} />}
      {roomId !== null && (
        <RoomFaults of={(entry) => entry.kind === 'leave' && entry.to.conversation === roomId} />
      )}
      {blocked && <BlockedLine name={title} unblock={() => block(false)} />}
      {archived && (
        <p className="blocked">This room is archived: it can be read, and nothing more is said in it.</p>
      )}
      {writable && (
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

function Typing({ id, names }: { id: string | undefined; names: ReadonlyMap<string, string> }) {
  const typing = useKnown((state) => (id === undefined ? undefined : state.typing.get(id)));
  return (
    <p className="typing" role="status" aria-label="Typing">
      {typingText([...(typing?.keys() ?? [])], names)}
    </p>
  );
}
