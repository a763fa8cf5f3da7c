import { useEffect, useState } from 'react';
import { useClient, useKnown, useTimeline } from '../../hooks/client.ts';
import { useVisible } from '../../hooks/page.ts';
import type { Message, Reading } from '../../store/state.ts';
import { newestOf, shownSegment, type Timeline, timelineKey } from '../../store/timeline.ts';

export interface Thread {
  timeline: Timeline | undefined;
  reading: Reading | undefined;
  /** Where the reader had been when it was opened; null where nothing was new. */
  readBefore: number | null;
}

/** The thread on the screen: opened and read. */
export function useThread(conversation: string | undefined, root: number): Thread {
  const client = useClient();
  const { me } = client;
  const key = conversation === undefined ? undefined : timelineKey(conversation, root);
  const open = useKnown((state) => key !== undefined && state.thread === key);
  const timeline = useTimeline(key);
  const reading = useKnown((state) => (key === undefined ? undefined : state.readings.get(key)));
  const known = useKnown((state) => conversation !== undefined && state.conversations.has(conversation));
  const begin = timeline?.root ?? null;

  useEffect(() => {
    // What a reset forgot is opened again once there is a conversation to it.
    if (conversation !== undefined && known && !open) client.openThread(conversation, root);
  }, [client, conversation, known, open, root]);
  useEffect(() => () => client.closeThread(), [client]);

  const [readBefore, setReadBefore] = useState<number | null | undefined>(undefined);
  const ready = timeline !== undefined && begin !== null && reading?.status === 'done';
  if (readBefore === undefined && ready) setReadBefore(beforeNew(begin, timeline, me));

  return { timeline, reading, readBefore: readBefore ?? null };
}

/** Marked as read for as long as its end is looked at. */
export function useThreadMarked(
  conversation: string,
  root: number,
  { timeline }: Thread,
  landed: boolean,
): void {
  const client = useClient();
  const { me } = client;
  const visible = useVisible();
  const segment = timeline && newestOf(timeline);
  const atEnd = timeline !== undefined && timeline.around === null && shownSegment(timeline) === segment;
  const newest = segment?.messages.findLast(({ sender }) => sender !== me)?.seq ?? 0;
  const begin = timeline?.root ?? null;
  const news = (begin?.replies?.unread ?? 0) > 0 || (begin?.replies?.news ?? []).length > 0;
  useEffect(() => {
    if (!visible || !landed || !atEnd || newest === 0 || !news) return;
    client.markThreadRead(conversation, root, newest);
  }, [client, conversation, root, visible, landed, atEnd, newest, news]);
}

/** The last message before those that are new, as many as the thread says. */
export function beforeNew({ replies }: Message, timeline: Timeline, me: string): number | null {
  const unread = replies?.unread ?? 0;
  if (unread === 0) return null;
  const others = newestOf(timeline)?.messages.filter(({ sender }) => sender !== me) ?? [];
  const first = others.at(-unread) ?? others[0];
  return first === undefined ? null : first.seq - 1;
}
