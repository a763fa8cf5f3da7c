import { useMemo, useRef, useState } from 'react';
import { BackLink } from '../../app/BackLink.tsx';
import { useClient, useConversation, useKnown, useQueue, useTimeline } from '../../hooks/client.ts';
import { usePane } from '../../hooks/pane.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { isolate } from '../../kit/bidi.ts';
import { titleOf } from '../../kit/people.ts';
import { Toast } from '../../kit/Toast.tsx';
import { may } from '../../net/rights.ts';
import { withPendingRoom } from '../../outbox/pending.ts';
import { idShown, takesCommands } from '../../store/shown.ts';
import { peopleOfKey, roomOfKey } from '../../store/state.ts';
import { unreadCount } from '../../store/unread.ts';
import { Composer } from '../composer/Composer.tsx';
import { useDeeds } from '../message/useDeeds.tsx';
import { BlockedLine, BlockFaults, useBlocked } from '../people/Blocking.tsx';
import { PinsBar } from '../pins/PinsBar.tsx';
import { isPreferenceOf, isWithin } from '../room/faultPlaces.ts';
import { RefusedPeople } from '../room/RefusedPeople.tsx';
import { RoomFaults } from '../room/RoomFaults.tsx';
import { RoomHead } from '../room/RoomHead.tsx';
import { DirectHead } from './DirectHead.tsx';
import { Timeline } from './Timeline.tsx';
import { Typing } from './Typing.tsx';
import { entriesOf, linesOf } from './timeline.ts';
import { useGoing } from './useGoing.ts';

interface ConversationViewProps {
  conversationKey: string;
}

export function ConversationView({ conversationKey }: ConversationViewProps) {
  const client = useClient();
  const { me } = client;
  const { words, calendar } = useSpeech();
  const names = useKnown((state) => state.names);
  const id = useKnown((state) => idShown(state, conversationKey));
  const conversation = useConversation(id);
  const timeline = useTimeline(id);
  const foreign = useKnown((state) => id !== undefined && !takesCommands(state, id));
  const reading = useKnown((state) => state.readings.get(conversationKey));
  const queue = useQueue();
  const others = useMemo(
    () => peopleOfKey(conversationKey).filter((user) => user !== me),
    [conversationKey, me],
  );
  const roomId = roomOfKey(conversationKey);
  const room = conversation?.room ? withPendingRoom(conversation.room, queue.entries, conversation.id) : null;
  const title =
    roomId === null
      ? titleOf(others, names, words.common.people)
      : room === null
        ? words.room.thisRoom
        : isolate(room.name);
  const other = others.length === 1 ? others[0] : undefined;
  const blocked = useBlocked(other ?? '');
  const archived = room?.archived === true;
  const writable = !blocked && !archived && (roomId === null || room !== null);

  // Where the reader had been when this was opened; the line above what is new stays there while it is read.
  const [readBefore, setReadBefore] = useState<number | null | undefined>(undefined);
  if (readBefore === undefined && reading?.status === 'done') {
    const behind = conversation !== undefined && unreadCount(conversation, me) > 0;
    setReadBefore(behind ? (conversation.read.get(me) ?? 0) : null);
  }
  const entries = useMemo(
    () => entriesOf(queue, conversationKey, conversation),
    [queue, conversationKey, conversation],
  );
  const lines = useMemo(
    () => linesOf(conversation, timeline, entries, me, readBefore ?? null, calendar),
    [conversation, timeline, entries, me, readBefore, calendar],
  );

  const composer = useRef<HTMLTextAreaElement>(null);
  const going = useGoing(
    conversationKey,
    id,
    reading?.status === 'done',
    readBefore === undefined ? undefined : readBefore !== null,
  );
  const { deeds, editing, problem, note, outcome, dialog } = useDeeds(id, composer, going.goTo);
  const editLast = (): boolean => {
    const last = lines.findLast((line) => line.kind === 'message' && line.mine && !line.message.deleted);
    if (last?.kind !== 'message') return false;
    deeds.edit(last.message);
    return true;
  };
  const unblock = () =>
    other !== undefined && outcome(client.do({ kind: 'block', user: other, blocked: false }));
  // The pane that stands beside it says itself what became of what was done there.
  const pane = usePane()?.name;
  const aside = pane === 'members' || pane === 'details' || pane === 'person';

  return (
    <section
      className="conversation"
      aria-label={roomId === null ? words.timeline.conversationWith(title) : words.timeline.roomCalled(title)}
    >
      {roomId === null ? (
        <DirectHead others={others} title={title} />
      ) : room !== null ? (
        <RoomHead id={roomId} room={room} memberCount={conversation?.memberCount ?? 0} />
      ) : (
        <header className="conversation-head">
          <BackLink />
          <h2>{words.room.room}</h2>
        </header>
      )}
      {/* Of a room that one is not in nothing is asked. */}
      <PinsBar conversation={roomId === null || room !== null ? id : undefined} />
      <Timeline
        conversationKey={conversationKey}
        title={title}
        lines={lines}
        conversation={conversation}
        held={timeline}
        reading={reading}
        manyPeople={roomId !== null || others.length > 1}
        editing={archived || foreign ? null : editing}
        settled={archived || foreign}
        saying={entries.findLast(({ kind }) => kind === 'send')?.id}
        deeds={deeds}
        going={going}
        toComposer={() => composer.current?.focus()}
      />
      <div role="status">
        {going.missing && <p className="hint timeline-missing">{words.timeline.missing}</p>}
      </div>
      <Toast note={note} />
      <Typing id={id} />
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {roomId !== null && <RefusedPeople room={roomId} />}
      {!aside && other !== undefined && <BlockFaults user={other} />}
      {!aside && roomId !== null && <RoomFaults of={(entry) => isWithin(entry, roomId)} />}
      <RoomFaults of={(entry) => isPreferenceOf(entry, id)} />
      {blocked && <BlockedLine name={title} unblock={unblock} />}
      {archived && <p className="blocked">{words.room.archivedNote}</p>}
      {writable && (
        <Composer
          conversationKey={conversationKey}
          title={title}
          everybody={roomId !== null && may(conversation?.role ?? null, 'mentionRoom')}
          field={composer}
          editLast={editLast}
        />
      )}
      {dialog}
    </section>
  );
}
