import { memo } from 'react';
import { useClient, useKnown, useTold } from '../../hooks/client.ts';
import { useSpeech, useWords } from '../../i18n/speech.tsx';
import { nameOf } from '../../kit/people.ts';
import { dayName } from '../../kit/time.ts';
import type { Notice } from '../../store/rooms.ts';
import type { MessageDeeds } from '../message/deeds.ts';
import { Folded } from '../message/Folded.tsx';
import { MessageLine } from '../message/MessageLine.tsx';
import { WaitingLine } from '../message/WaitingLine.tsx';
import { noticeText } from '../room/text.ts';
import type { Line } from './timeline.ts';

interface TimelineLineProps {
  line: Line;
  manyPeople: boolean;
  editing: boolean;
  settled: boolean;
  /** The keyboard is here. */
  active: boolean;
  /** Somebody just went to it. */
  lit: boolean;
  deeds: MessageDeeds;
}

/** Each is one item of the list: the window counts on it. */
export const TimelineLine = memo(function TimelineLine(props: TimelineLineProps) {
  const { line, manyPeople, editing, settled, active, lit, deeds } = props;
  const { common, timeline } = useWords();
  const sender = line.kind === 'message' ? line.message.sender : '';
  const author = useKnown((state) => nameOf(sender, state.names, common.people));
  const folded = useKnown((state) => manyPeople && state.blocked.has(sender));
  switch (line.kind) {
    case 'day':
      return <Day at={line.at} />;
    case 'new':
      return <li className="new-line">{timeline.newLine}</li>;
    case 'notice':
      return <NoticeLine notice={line.notice} />;
    case 'message': {
      const said = (
        <MessageLine
          message={line.message}
          reply={line.reply}
          changes={line.changes}
          author={author}
          mine={line.mine}
          joined={line.joined}
          forMe={line.forMe}
          receipt={line.receipt}
          editing={editing}
          settled={settled}
          active={active}
          lit={lit}
          deeds={deeds}
        />
      );
      return folded ? <Folded author={author}>{said}</Folded> : said;
    }
    case 'waiting':
      return <WaitingLine entry={line.entry} joined={line.joined} active={active} />;
  }
});

function NoticeLine({ notice }: { notice: Notice }) {
  const { me } = useClient();
  const words = useWords();
  const names = useKnown((state) => state.names);
  return <li className="notice">{noticeText(notice, me, names, words)}</li>;
}

function Day({ at }: { at: string }) {
  const { words, calendar } = useSpeech();
  const name = useTold((now) => dayName(at, now, calendar, words.common.time));
  return (
    <li className="day">
      <time dateTime={at}>{name}</time>
    </li>
  );
}
