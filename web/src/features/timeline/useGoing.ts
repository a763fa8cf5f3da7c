/** Where a conversation is opened, and the ways from there to other places in it. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { useClient } from '../../hooks/client.ts';
import { leaveMessage, type Route, replyIn, useRoute } from '../../hooks/route.ts';
import { readingOf } from '../../store/timeline.ts';
import { type Place, placeIn } from './places.ts';

/** Before there was any Natter. */
const BEGINNING = '1970-01-01T00:00:00Z';

/** A place that was read, to be shown once. */
export interface Arrival {
  n: number;
  seq: number;
  why: Why;
  /** For a place that one comes back to: how far below the upper edge it was. */
  top: number;
  /** What had the focus when somebody set out. */
  from: Element | null;
}

/** `thread`: to the message whose thread somebody goes to. */
type Why = 'unread' | 'message' | 'thread' | 'date' | 'back';

export interface Going {
  arrival: Arrival | null;
  /** What is on the screen is where the reader is to be: before, nothing of it counts as read. */
  landed: boolean;
  land(): void;
  /** The message that was asked for is not here; what is near it is shown. */
  missing: boolean;
  goTo(seq: number): void;
  /** To where the reader was before what is here was read anew. */
  comeBack(place: Place): void;
  /** To the first message from this time on (RFC 3339); from the beginning where there is none. */
  goToDate(at: string | null): void;
}

export function useGoing(
  key: string,
  id: string | undefined,
  /** Its newest messages are here. */
  read: boolean,
  /** Something in it is unread; undefined until that is known. */
  unread: boolean | undefined,
): Going {
  const client = useClient();
  const route = useRoute();
  const [arrival, setArrival] = useState<Arrival | null>(null);
  const [landed, setLanded] = useState(false);
  const [missing, setMissing] = useState(false);
  const asked = useRef(0);
  const opened = useRef(false);

  const go = useCallback(
    async (why: Why, ask: (line: string) => Promise<void>, to: Partial<Arrival> = {}) => {
      if (id === undefined) return;
      const { seq, top = 0, from = document.activeElement } = to;
      asked.current += 1;
      const n = asked.current;
      setMissing(false);
      await ask(id);
      // Somebody wanted to be elsewhere meanwhile.
      if (n !== asked.current) return;
      const { timelines, readings } = client.store.state;
      const around = timelines.get(id)?.around ?? null;
      if (around === null || readings.get(readingOf(id, 'around'))?.status === 'failed') {
        setLanded(true);
        return;
      }
      setMissing(why === 'message' && around !== seq);
      setArrival({ n, seq: around, why, top, from });
    },
    [client, id],
  );

  const goTo = useCallback(
    (seq: number, from: Element | null = document.activeElement) =>
      void go('message', (line) => client.goTo(line, seq), { seq, from }),
    [client, go],
  );
  const goToDate = useCallback(
    (at: string | null) => void go('date', (line) => client.goToDate(line, at ?? BEGINNING)),
    [client, go],
  );

  const comeBack = useCallback(
    ({ seq, top }: Place) => void go('back', (line) => client.goTo(line, seq), { seq, top }),
    [client, go],
  );

  const land = useCallback(() => setLanded(true), []);

  // A link to a message is followed once. To a reply it is the thread that follows it, and may be there before.
  const [link, setLink] = useState<Route | null>(null);
  const followed = useRef<Route | null>(null);
  const from = useRef<Element | null>(null);
  if (route.page === 'conversation' && route.at !== null && route !== link) setLink(route);
  // What has been opened has taken the focus by now; what somebody does until it is read is their own affair.
  useEffect(() => {
    if (link !== null) from.current = document.activeElement;
  }, [link]);
  useEffect(() => {
    if (!read || link?.page !== 'conversation' || link.at === null || followed.current === link) return;
    opened.current = true;
    followed.current = link;
    const root = link.pane?.name === 'thread' ? link.pane.root : null;
    const inThread = replyIn(link) !== null;
    if (!inThread) leaveMessage(key, client.me, link.pane);
    if (id === undefined) setLanded(true);
    else if (inThread && root !== null) void go('thread', (line) => client.goTo(line, root));
    else goTo(link.at, from.current);
  }, [client, go, goTo, id, key, link, read]);

  useEffect(() => {
    if (!read || unread === undefined || opened.current || link !== null) return;
    opened.current = true;
    const place = placeIn(client, key);
    if (id === undefined) setLanded(true);
    else if (place !== null) comeBack(place);
    else if (unread) void go('unread', (line) => client.goToUnread(line));
    else setLanded(true);
  }, [client, comeBack, go, id, key, link, read, unread]);

  return { arrival, landed, land, missing, goTo, comeBack, goToDate };
}
