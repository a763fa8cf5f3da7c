import { memo } from 'react';
import { useClient, useKnown } from '../../hooks/client.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { nameOf } from '../../kit/people.ts';
import { clockTime } from '../../kit/time.ts';
import type { ConversationEntry } from '../../outbox/queue.ts';
import { EntryFault } from '../outbox/EntryFault.tsx';
import { Line } from './Line.tsx';
import { WaitingMark } from './Marks.tsx';
import { Text } from './text/Text.tsx';

interface WaitingLineProps {
  entry: ConversationEntry;
  joined: boolean;
  /** The keyboard is here. */
  active?: boolean;
}

/** What is not in the log yet, or was refused. */
export const WaitingLine = memo(function WaitingLine({ entry, joined, active = false }: WaitingLineProps) {
  const { me } = useClient();
  const { words, calendar } = useSpeech();
  const author = useKnown((state) => nameOf(me, state.names, words.common.people));
  if (entry.kind !== 'send') {
    return (
      <li className="line mine" tabIndex={active ? 0 : -1}>
        <EntryFault entry={entry} />
      </li>
    );
  }
  const at = new Date(entry.composedAt).toISOString();
  return (
    <Line
      handle={me}
      author={author}
      mine
      joined={joined}
      active={active}
      className={entry.status === 'sending' ? '' : entry.status}
      time={<time dateTime={at}>{clockTime(at, calendar)}</time>}
      mark={<WaitingMark status={entry.status} />}
    >
      <Text text={entry.text} />
      {entry.status === 'failed' && <EntryFault entry={entry} />}
    </Line>
  );
});
