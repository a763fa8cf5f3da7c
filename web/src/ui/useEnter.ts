import { useEffect, useState } from 'react';
import type { AddOutcome } from '../outbox/outbox.ts';
import { isOfRoom } from '../outbox/pending.ts';
import type { RoomEntry } from '../outbox/queue.ts';
import { wordsFor } from './Composer.tsx';
import { hashOfRoom, useKnown, useQueue } from './hooks.ts';

export interface Entering {
  /** What was asked for last, for as long as it is not done. */
  entry: RoomEntry | undefined;
  problem: string | null;
  begin(outcome: AddOutcome): void;
}

/** Waits for a room that this page asked to make or to join, opens it, and says `done`. */
export function useEnter(done: () => void): Entering {
  const [asked, setAsked] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const entered = useKnown((state) => state.entered);
  const entry = useQueue()
    .entries.filter(isOfRoom)
    .find(({ id }) => id === asked);

  useEffect(() => {
    if (asked === null || entered?.id !== asked) return;
    location.hash = hashOfRoom(entered.conversation);
    done();
  }, [asked, entered, done]);

  const begin = (outcome: AddOutcome) => {
    setAsked('fault' in outcome ? null : outcome.id);
    setProblem('fault' in outcome ? wordsFor(outcome.fault, 0) : null);
  };
  return { entry, problem, begin };
}
