import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useClient } from '../../hooks/client.ts';
import { leaveMessage, replyIn, useRoute } from '../../hooks/route.ts';
import type { TimelineKey } from '../../store/timeline.ts';
import type { Arrival, Going } from '../timeline/useGoing.ts';

/** A thread opens at its end, or at the reply that the address names; from there the ways lead to the messages in it. */
export function useThreadGoing(conversationKey: string, line: TimelineKey, read: boolean): Going {
  const client = useClient();
  const route = useRoute();
  const reply = replyIn(route);
  const [arrival, setArrival] = useState<Arrival | null>(null);
  /** Before it is there, what is on the screen is not what somebody came to read. */
  const [onTheWay, setOnTheWay] = useState(reply !== null);
  const land = useCallback(() => setOnTheWay(false), []);
  const arrive = useCallback(
    async (why: Arrival['why'], asked: Promise<void>, { top = 0, from = document.activeElement } = {}) => {
      await asked;
      const seq = client.store.state.timelines.get(line)?.around ?? null;
      if (seq !== null) setArrival((before) => ({ n: (before?.n ?? 0) + 1, seq, why, top, from }));
      else land();
    },
    [client, land, line],
  );

  const from = useRef<Element | null>(null);
  useEffect(() => {
    if (reply !== null) from.current = document.activeElement;
  }, [reply]);
  useEffect(() => {
    if (!read || reply === null || route.page !== 'conversation') return;
    setOnTheWay(true);
    leaveMessage(conversationKey, client.me, route.pane);
    void arrive('message', client.goTo(line, reply), { from: from.current });
  }, [arrive, client, conversationKey, line, read, reply, route]);

  return useMemo(
    () => ({
      ...{ arrival, landed: read && !onTheWay, missing: false },
      land,
      goTo: (seq) => void arrive('message', client.goTo(line, seq)),
      comeBack: ({ seq, top }) => void arrive('back', client.goTo(line, seq), { top }),
      goToDate: (at) => void arrive('date', client.goToDate(line, at ?? new Date(0).toISOString())),
    }),
    [arrive, arrival, client, land, line, onTheWay, read],
  );
}
