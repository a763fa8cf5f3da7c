/** One thread beside its conversation: the message that it began with, what was said about it, and what will be. */
import { useMemo, useRef } from 'react';
import { SidePane } from '../../app/SidePane.tsx';
import { useClient, useConversation, useKnown, useQueue } from '../../hooks/client.ts';
import { closePane } from '../../hooks/pane.ts';
import { useSpeech, useWords } from '../../i18n/speech.tsx';
import { Toast } from '../../kit/Toast.tsx';
import { may } from '../../net/rights.ts';
import { idShown, takesCommands } from '../../store/shown.ts';
import { peopleOfKey, roomOfKey } from '../../store/state.ts';
import { timelineKey } from '../../store/timeline.ts';
import { Composer } from '../composer/Composer.tsx';
import { useDeeds } from '../message/useDeeds.tsx';
import { useBlocked } from '../people/Blocking.tsx';
import { Timeline } from '../timeline/Timeline.tsx';
import { threadEntries, threadLines } from './lines.ts';
import { Root } from './Root.tsx';
import { useThread, useThreadMarked } from './useThread.ts';
import { useThreadGoing } from './useThreadGoing.ts';
import './threads.css';

interface ThreadPaneProps {
  conversationKey: string;
  root: number;
}

export function ThreadPane({ conversationKey, root }: ThreadPaneProps) {
  const { threads } = useWords();
  const id = useKnown((state) => idShown(state, conversationKey));
  return (
    <SidePane title={threads.thread} close={closePane}>
      {id === undefined ? (
        <p className="side-note appears-late">{threads.loading}</p>
      ) : (
        <Open id={id} conversationKey={conversationKey} root={root} />
      )}
    </SidePane>
  );
}

function Open({ id, conversationKey, root }: ThreadPaneProps & { id: string }) {
  const { me } = useClient();
  const { words, calendar } = useSpeech();
  const { threads } = words;
  const conversation = useConversation(id);
  const thread = useThread(id, root);
  const { timeline, reading, readBefore } = thread;
  const foreign = useKnown((state) => !takesCommands(state, id));
  const queue = useQueue();
  const roomId = roomOfKey(conversationKey);
  const others = useMemo(
    () => peopleOfKey(conversationKey).filter((user) => user !== me),
    [conversationKey, me],
  );
  const blocked = useBlocked(others.length === 1 ? (others[0] ?? '') : '');
  const room = conversation?.room ?? null;
  const archived = room?.archived === true;
  const begin = timeline?.root ?? null;
  const entries = useMemo(
    () => threadEntries(queue, conversationKey, conversation, timeline, root),
    [queue, conversationKey, conversation, timeline, root],
  );
  const lines = useMemo(
    () => threadLines(timeline, entries, me, readBefore, calendar),
    [timeline, entries, me, readBefore, calendar],
  );

  const composer = useRef<HTMLTextAreaElement>(null);
  const line = timelineKey(id, root);
  const going = useThreadGoing(conversationKey, line, reading?.status === 'done');
  useThreadMarked(id, root, thread, going.landed);
  const { deeds, problem, note, dialog, ...doing } = useDeeds(id, composer, going.goTo, root);
  const editLast = (): boolean => {
    const last = lines.findLast((line) => line.kind === 'message' && line.mine && !line.message.deleted);
    if (last?.kind !== 'message') return false;
    deeds.edit(last.message);
    return true;
  };
  const manyPeople = roomId !== null || others.length > 1;
  const settled = archived || foreign;
  const editing = settled ? null : doing.editing;
  const deleted = begin?.deleted === true;
  const writable = !blocked && !archived && !deleted && (roomId === null || room !== null);

  return (
    <>
      <Root
        root={begin}
        entries={entries}
        manyPeople={manyPeople}
        editing={editing}
        settled={settled}
        deeds={deeds}
      />
      <Timeline
        conversationKey={line}
        title={threads.thread}
        name={threads.replies}
        nothingYet={threads.nothingYet}
        lines={lines}
        conversation={undefined}
        held={timeline}
        reading={reading}
        manyPeople={manyPeople}
        editing={editing}
        settled={settled}
        saying={entries.findLast(({ kind }) => kind === 'send')?.id}
        deeds={deeds}
        going={going}
        toComposer={() => composer.current?.focus()}
      />
      <Toast note={note} />
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {blocked && <p className="blocked">{threads.blocked}</p>}
      {archived && <p className="blocked">{words.room.archivedNote}</p>}
      {deleted && !archived && <p className="blocked">{threads.rootDeleted}</p>}
      {writable && (
        <Composer
          conversationKey={conversationKey}
          thread={root}
          title={threads.thread}
          everybody={roomId !== null && may(conversation?.role ?? null, 'mentionRoom')}
          field={composer}
          editLast={editLast}
        />
      )}
      {dialog}
    </>
  );
}
