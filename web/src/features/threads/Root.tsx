import { useMemo } from 'react';
import { useClient, useKnown } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { nameOf } from '../../kit/people.ts';
import { isChange, withPending } from '../../outbox/pending.ts';
import type { ConversationEntry } from '../../outbox/queue.ts';
import type { Message } from '../../store/state.ts';
import type { MessageDeeds } from '../message/deeds.ts';
import { Folded } from '../message/Folded.tsx';
import { MessageLine } from '../message/MessageLine.tsx';

interface RootProps {
  /** Null where it is not here yet, or never was for this person. */
  root: Message | null;
  entries: readonly ConversationEntry[];
  manyPeople: boolean;
  editing: number | null;
  settled: boolean;
  deeds: MessageDeeds;
}

/** The message that a thread began with, above what was said about it. */
export function Root({ root, entries, manyPeople, editing, settled, deeds }: RootProps) {
  const { me } = useClient();
  const { common, message: said, threads } = useWords();
  const names = useKnown((state) => state.names);
  const blocked = useKnown((state) => state.blocked);
  const changes = useMemo(
    () => entries.filter(isChange).filter(({ message }) => message === root?.seq),
    [entries, root],
  );
  const shown = useMemo(
    () => root && { ...withPending(root, changes, me), replies: null },
    [root, changes, me],
  );
  if (root === null || shown === null) return null;
  const author = nameOf(root.sender, names, common.people);
  const mine = root.sender === me;
  const line = (
    <MessageLine
      message={shown}
      reply={root.reply}
      changes={changes}
      author={author}
      mine={mine}
      joined={false}
      forMe={!mine && (root.mentionsRoom || root.mentions.includes(me))}
      receipt={null}
      editing={editing === root.seq}
      settled={settled}
      deeds={deeds}
    />
  );
  return (
    <div className="thread-root">
      <ol className="lines" aria-label={threads.root}>
        {manyPeople && blocked.has(root.sender) ? <Folded author={author}>{line}</Folded> : line}
      </ol>
      {root.replies !== null && <p className="thread-count">{said.replies(root.replies.count)}</p>}
    </div>
  );
}
