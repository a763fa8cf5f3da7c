import { useEffect, useRef, useState } from 'react';
import type { Going } from './useGoing.ts';
import type { Scrolling } from './useScroll.ts';
import { indexOfSeq } from './window.ts';

/** For so long a message that one went to stands out. */
const LIT_MS = 2_500;

/** Brings into sight what somebody went to. Gives the message that is to stand out for a moment. */
export function useArrival({ arrival, land }: Going, reveal: Scrolling['reveal']): number | null {
  const [lit, setLit] = useState<number | null>(null);
  const shown = useRef(0);

  useEffect(() => {
    if (arrival === null || arrival.n === shown.current) return;
    shown.current = arrival.n;
    const { seq, why, top, from } = arrival;
    reveal({
      find: (lines) => {
        const at = indexOfSeq(lines, seq);
        return why === 'unread' && lines[at - 1]?.kind === 'new' ? at - 1 : at;
      },
      place: why === 'back' ? top : why === 'message' || why === 'thread' ? 'middle' : 'begins',
      focusFrom: why === 'message' || why === 'date' ? from : undefined,
      done: () => {
        land();
        if (why === 'message') setLit(seq);
      },
    });
  }, [arrival, land, reveal]);

  useEffect(() => {
    if (lit === null) return;
    const timer = setTimeout(() => setLit(null), LIT_MS);
    return () => clearTimeout(timer);
  }, [lit]);
  return lit;
}
