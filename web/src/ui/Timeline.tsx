import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Notice } from '../store/rooms.ts';
import type { Conversation, Reading } from '../store/state.ts';
import { Folded } from './Folded.tsx';
import { dayName, hereAndNow, noticeText } from './format.ts';
import { useClient, useKnown, useNow, useVisible } from './hooks.ts';
import { type MessageDeeds, MessageLine, WaitingLine } from './MessageLine.tsx';
import type { Line } from './timeline.ts';

/** This near to the end counts as being there. */
const NEAR_END_PX = 60;
const LOAD_OLDER_WITHIN_PX = 300;

interface TimelineProps {
  title: string;
  lines: readonly Line[];
  conversation: Conversation | undefined;
  reading: Reading | undefined;
  /** Of several others, or in a room: who said it stands above it. */
  manyPeople: boolean;
  /** The message that is being edited. */
  editing: number | null;
  /** Nothing more can be said or done here. */
  settled: boolean;
  deeds: MessageDeeds;
}

export function Timeline(props: TimelineProps) {
  const { title, lines, conversation, reading, manyPeople, editing, settled, deeds } = props;
  const client = useClient();
  const names = useKnown((state) => state.names);
  const box = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(true);
  const [olderFailed, setOlderFailed] = useState(false);
  const id = conversation?.id;
  const hasOlder = conversation !== undefined && conversation.older === true;
  useKeepPlace(box, lines, atEnd);
  useMarkRead(conversation, atEnd && reading?.status === 'done');

  const loadOlder = useCallback(async () => {
    if (id === undefined) return;
    setOlderFailed(!(await client.loadOlder(id)));
  }, [client, id]);

  const scrolled = () => {
    const { current } = box;
    if (current === null) return;
    setAtEnd(current.scrollHeight - current.scrollTop - current.clientHeight < NEAR_END_PX);
    if (current.scrollTop < LOAD_OLDER_WITHIN_PX && hasOlder && !olderFailed) void loadOlder();
  };

  const toEnd = () => box.current?.scrollTo({ top: box.current.scrollHeight });

  return (
    <div className="timeline-place">
      <div
        className="timeline"
        ref={box}
        onScroll={scrolled}
        role="log"
        aria-live="off"
        aria-label={`Messages ${conversation?.kind === 'room' ? 'in' : 'with'} ${title}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable from the keyboard
        tabIndex={0}
      >
        <Top reading={reading} empty={lines.length === 0} retry={() => client.reread()} />
        {hasOlder && (
          <button type="button" className="button older" onClick={() => void loadOlder()}>
            {olderFailed ? 'Could not load older messages. Try again' : 'Older messages'}
          </button>
        )}
        <ol className="lines">
          {lines.map((line) => (
            <TimelineLine
              key={line.key}
              line={line}
              names={names}
              manyPeople={manyPeople}
              editing={editing}
              settled={settled}
              deeds={deeds}
            />
          ))}
        </ol>
      </div>
      {!atEnd && (
        <button type="button" className="button to-end" onClick={toEnd}>
          Newest messages
        </button>
      )}
    </div>
  );
}

interface TimelineLineProps {
  line: Line;
  names: ReadonlyMap<string, string>;
  manyPeople: boolean;
  editing: number | null;
  settled: boolean;
  deeds: MessageDeeds;
}

function TimelineLine({ line, names, manyPeople, editing, settled, deeds }: TimelineLineProps) {
  const blocked = useKnown((state) => state.blocked);
  switch (line.kind) {
    case 'day':
      return <Day at={line.at} />;
    case 'new':
      return <li className="new-line">New</li>;
    case 'notice':
      return <NoticeLine notice={line.notice} names={names} />;
    case 'message': {
      const { sender, seq } = line.message;
      const author = names.get(sender) ?? sender;
      const said = (
        <MessageLine
          message={line.message}
          reply={line.reply}
          changes={line.changes}
          author={author}
          mine={line.mine}
          joined={line.joined}
          receipt={line.receipt}
          named={manyPeople}
          names={names}
          editing={editing === seq}
          settled={settled}
          deeds={deeds}
        />
      );
      return manyPeople && blocked.has(sender) ? <Folded author={author}>{said}</Folded> : said;
    }
    case 'waiting':
      return <WaitingLine entry={line.entry} joined={line.joined} />;
  }
}

function NoticeLine({ notice, names }: { notice: Notice; names: ReadonlyMap<string, string> }) {
  const { me } = useClient();
  return <li className="notice">{noticeText(notice, me, names)}</li>;
}

function Day({ at }: { at: string }) {
  const now = useNow(false);
  return (
    <li className="day">
      <time dateTime={at}>{dayName(at, now, hereAndNow)}</time>
    </li>
  );
}

function Top({ reading, empty, retry }: { reading: Reading | undefined; empty: boolean; retry(): void }) {
  switch (reading?.status) {
    case 'done':
      return empty ? <p className="timeline-note">No messages yet. Say hello.</p> : null;
    case 'failed':
      return (
        <p className="timeline-note" role="alert">
          {reading.message}{' '}
          <button type="button" className="link" onClick={retry}>
            Try again
          </button>
        </p>
      );
    default:
      return <p className="timeline-note appears-late">Loading messages…</p>;
  }
}

/** At the end the timeline follows what arrives; elsewhere it stays where the reader is, also when older ones load. */
function useKeepPlace(
  box: React.RefObject<HTMLDivElement | null>,
  lines: readonly Line[],
  atEnd: boolean,
): void {
  const before = useRef({ height: 0, firstKey: '', lastKey: '' });

  useLayoutEffect(() => {
    const { current } = box;
    if (current === null) return;
    const last = lines.at(-1);
    const firstKey = lines.find(({ kind }) => kind === 'message')?.key ?? '';
    const grewAbove = before.current.firstKey !== '' && firstKey !== before.current.firstKey;
    const wroteMyself = last?.kind === 'waiting' && last.key !== before.current.lastKey;
    if (atEnd || wroteMyself) current.scrollTop = current.scrollHeight;
    else if (grewAbove) current.scrollTop += current.scrollHeight - before.current.height;
    before.current = { height: current.scrollHeight, firstKey, lastKey: last?.key ?? '' };
  }, [box, lines, atEnd]);

  // A window or an on-screen keyboard that takes room must not hide the newest line.
  useEffect(() => {
    const { current } = box;
    if (current === null || !atEnd) return;
    const observer = new ResizeObserver(() => {
      current.scrollTop = current.scrollHeight;
    });
    observer.observe(current);
    return () => observer.disconnect();
  }, [box, atEnd]);
}

/** What is on a visible page, at the end of the timeline, has been read. */
function useMarkRead(conversation: Conversation | undefined, looking: boolean): void {
  const client = useClient();
  const visible = useVisible();
  const id = conversation?.id;
  const newest = conversation?.messages.findLast(({ sender }) => sender !== client.me)?.seq ?? 0;
  const read = conversation?.read.get(client.me) ?? 0;
  useEffect(() => {
    if (visible && looking && id !== undefined && newest > read) client.markRead(id, newest);
  }, [client, id, looking, newest, read, visible]);
}
