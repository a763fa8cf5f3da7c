import { type RefObject, useEffect, useRef } from 'react';
import { useClient } from '../../hooks/client.ts';
import { useVisible } from '../../hooks/page.ts';
import type { Segment } from '../../store/segments.ts';
import type { Conversation } from '../../store/state.ts';
import type { Line } from './timeline.ts';
import { hasRoom, type Sight } from './useScroll.ts';
import { readUpTo } from './window.ts';

/** Who scrolls through what is unread says so this often. */
const MARK_EVERY_MS = 700;

/**
 * What was in sight on a visible page has been read: at the end all of it, before that as far as one came without
 * skipping any. Gives what is to be told where the reader looks.
 */
export function useMarkRead(
  conversation: Conversation | undefined,
  lines: readonly Line[],
  segment: Segment | undefined,
  looking: boolean,
  box: RefObject<HTMLElement | null>,
): (sight: Sight) => void {
  const client = useClient();
  const visible = useVisible();
  const id = conversation?.id;
  const newest = conversation?.tally.others.at(-1)?.seq ?? 0;
  const read = conversation?.read.get(client.me) ?? 0;
  const seen = useRef(0);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const last = useRef<Sight | null>(null);

  const mark = (sight: Sight) => {
    last.current = sight;
    if (!visible || !looking || id === undefined || newest <= read) return;
    if (box.current === null || !hasRoom(box.current)) return;
    if (sight.atEnd) {
      client.markRead(id, newest);
      return;
    }
    const known = Math.max(seen.current, read);
    const begins = segment !== undefined && (segment.older === false || segment.from <= known);
    seen.current = readUpTo(lines, sight, known, begins);
    if (seen.current <= read || timer.current !== null) return;
    timer.current = setTimeout(() => {
      timer.current = null;
      client.markRead(id, seen.current);
    }, MARK_EVERY_MS);
  };

  const latest = useRef(mark);
  useEffect(() => {
    latest.current = mark;
  });
  // Also when somebody comes back to a page that has stood there.
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was looked at is judged anew when any of these changes
  useEffect(() => {
    if (last.current !== null) latest.current(last.current);
  }, [id, looking, newest, visible]);
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
    },
    [],
  );
  return mark;
}
