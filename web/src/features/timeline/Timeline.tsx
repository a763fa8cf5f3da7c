import { type FocusEvent, type KeyboardEvent, useCallback, useEffect, useRef, useState } from 'react';
import { useClient, useKnown } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import type { Conversation, Reading } from '../../store/state.ts';
import { type Timeline as Held, readingOf, shownSegment } from '../../store/timeline.ts';
import { unreadCount } from '../../store/unread.ts';
import type { MessageDeeds } from '../message/deeds.ts';
import { DayButton, wouldCover } from './DayButton.tsx';
import { Edge, Top } from './Edge.tsx';
import { leavePlace } from './places.ts';
import { TimelineLine } from './TimelineLine.tsx';
import type { Line } from './timeline.ts';
import { useArrival } from './useArrival.ts';
import type { Going } from './useGoing.ts';
import { useMarkRead } from './useMarkRead.ts';
import { type Anchor, type Sight, useScroll } from './useScroll.ts';
import { seqOf, stepFrom, wanting } from './window.ts';
import './timeline.css';

interface TimelineProps {
  /** Of a thread, the key of its line of talk. */
  conversationKey: string;
  /** Of a thread: what it is called, and what is said where there is nothing in it. */
  name?: string;
  nothingYet?: string;
  title: string;
  lines: readonly Line[];
  conversation: Conversation | undefined;
  held: Held | undefined;
  reading: Reading | undefined;
  /** Of several others, or in a room: who said it stands above it. */
  manyPeople: boolean;
  /** The message that is being edited. */
  editing: number | null;
  /** Nothing more can be said or done here. */
  settled: boolean;
  /** The last message of this person that still waits: who says something wants to see it. */
  saying: string | undefined;
  deeds: MessageDeeds;
  going: Going;
  toComposer(): void;
}

export function Timeline(props: TimelineProps) {
  const { conversationKey, title, lines, conversation, held, reading, saying, going, toComposer } = props;
  const { manyPeople, editing, settled, deeds, name, nothingYet } = props;
  const client = useClient();
  const box = useRef<HTMLDivElement>(null);
  const { timeline } = useWords();
  const key = held?.key ?? '';
  const segment = held && shownSegment(held);
  const older = useKnown((state) => state.readings.get(readingOf(key, 'older')));
  const newer = useKnown((state) => state.readings.get(readingOf(key, 'newer')));
  const around = useKnown((state) => state.readings.get(readingOf(key, 'around')));
  const more = { older: segment?.older === true, newer: segment?.newer === true };
  const done = going.landed && reading?.status === 'done';
  const [active, setActive] = useState<string | null>(null);
  const [day, setDay] = useState<string | null>(null);
  const [covering, setCovering] = useState(false);

  const load = (of: 'older' | 'newer') => {
    if (segment === undefined) return;
    // What is far from here may be let go.
    client.look(key, segment.messages.at(of === 'older' ? 0 : -1)?.seq ?? null);
    void (of === 'older' ? client.loadOlder(key, segment) : client.loadNewer(key, segment));
  };
  const marked = useMarkRead(conversation, lines, segment, done, box);
  const looked = (sight: Sight) => {
    const first = lines.slice(sight.first, sight.last + 1).find(({ kind }) => kind === 'message');
    if (first?.kind === 'message') setDay(first.message.at);
    setCovering(box.current !== null && wouldCover(box.current));
    if (!done) return;
    marked(sight);
    const want = wanting(lines, sight, more);
    const asked = want === 'older' ? older : newer;
    if (want !== null && asked === undefined) load(want);
  };
  // After a reset only the newest were read.
  const lost = ({ seq, top }: Anchor) => {
    if (done && seq !== null) going.comeBack({ seq, top });
  };
  const scroll = useScroll(box, lines, !more.newer, editing, looked, lost);
  const { list, drawn, atEnd, middle, anchor, sight, reveal, toEnd } = scroll;
  const lit = useArrival(going, reveal);

  // The store keeps what is around the place where the reader is, and at the end whatever arrives.
  const looking = middle === null ? null : seqOf(lines.find((line) => line.key === middle));
  useEffect(() => {
    if (going.landed && (looking !== null || atEnd)) client.look(key, looking);
  }, [atEnd, client, going.landed, key, looking]);

  useEffect(
    () => () => {
      const { seq, top } = anchor.current ?? { seq: null, top: 0 };
      leavePlace(client, conversationKey, sight.current.atEnd || seq === null ? null : { seq, top });
    },
    [anchor, client, conversationKey, sight],
  );

  const { land } = going;
  const toNewest = useCallback(() => {
    client.look(key, null);
    land();
    toEnd();
  }, [client, key, land, toEnd]);
  const said = useRef(saying);
  useEffect(() => {
    if (saying !== undefined && saying !== said.current) toNewest();
    said.current = saying;
  }, [saying, toNewest]);

  const reach = (at: number) => {
    const { key: reached } = lines[at] ?? {};
    if (reached === undefined) return;
    setActive(reached);
    reveal({
      find: (now) => now.findIndex((line) => line.key === reached),
      place: 'nearest',
      focusFrom: document.activeElement,
    });
  };
  const keyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const { target, key: pressed } = event;
    const onLine = target instanceof HTMLElement && target.parentElement === list.current;
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    if (!onLine && target !== box.current) return;
    const by = { ArrowUp: -1, k: -1, ArrowDown: 1, j: 1 }[pressed] as -1 | 1 | undefined;
    if (by !== undefined && !event.shiftKey) {
      const from = lines.findIndex((line) => line.key === active);
      if (from !== -1) reach(stepFrom(lines, from, by));
      else
        reach(
          by < 0 ? stepFrom(lines, sight.current.last + 1, -1) : stepFrom(lines, sight.current.first - 1, 1),
        );
    } else if (pressed === 'Escape') {
      toComposer();
    } else if (pressed === 'Home') {
      reach(stepFrom(lines, -1, 1));
    } else if (pressed === 'End') {
      setActive(null);
      toNewest();
    } else if (onLine && (pressed === 'Enter' || pressed === '.')) {
      target.querySelector<HTMLElement>('.more')?.click();
    } else return;
    event.preventDefault();
  };
  const focused = ({ target }: FocusEvent<HTMLElement>) => {
    const at = [...(list.current?.children ?? [])].findIndex((item) => item.contains(target));
    const { key: reached } = (at === -1 ? undefined : lines[drawn.from + at]) ?? {};
    if (reached !== undefined) setActive(reached);
  };

  const unread = conversation === undefined ? 0 : unreadCount(conversation, client.me);
  const room = conversation?.kind === 'room';
  return (
    <div className="timeline-place">
      <DayButton at={day} shown={!atEnd && !covering} goToDate={going.goToDate} />
      <div
        className="timeline"
        ref={box}
        onScroll={scroll.scrolled}
        onKeyDown={keyDown}
        onFocus={focused}
        role="log"
        aria-live="off"
        aria-label={name ?? (room ? timeline.messagesIn(title) : timeline.messagesWith(title))}
        aria-describedby={`${key}-keys`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable from the keyboard
        tabIndex={0}
      >
        <Top
          nothingYet={nothingYet ?? timeline.nothingYet}
          reading={reading}
          empty={lines.length === 0}
          retry={() => client.reread()}
        />
        {more.older && drawn.from === 0 && <Edge of="older" reading={older} load={() => load('older')} />}
        <ol className={going.landed || reading?.status !== 'done' ? 'lines' : 'lines landing'} ref={list}>
          {lines.slice(drawn.from, drawn.to).map((line) => (
            <TimelineLine
              key={line.key}
              line={line}
              manyPeople={manyPeople}
              editing={line.kind === 'message' && editing === line.message.seq}
              settled={settled}
              active={line.key === active}
              lit={line.kind === 'message' && lit === line.message.seq}
              deeds={deeds}
            />
          ))}
        </ol>
        {more.newer && drawn.to === lines.length && (
          <Edge of="newer" reading={newer} load={() => load('newer')} />
        )}
      </div>
      <p id={`${key}-keys`} hidden>
        {timeline.keys}
      </p>
      {around?.status === 'failed' && (
        <p className="timeline-fault problem" role="alert">
          {timeline.notReached}{' '}
          <button type="button" className="link" onClick={() => client.reread()}>
            {timeline.retry}
          </button>
        </p>
      )}
      {!atEnd && (
        <button type="button" className="button to-end" onClick={toNewest}>
          {unread === 0 ? timeline.newest : timeline.newestWith(unread)}
        </button>
      )}
    </div>
  );
}
