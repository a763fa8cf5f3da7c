import { useEffect, useState } from 'react';
import { useKnown, useQueue } from '../../hooks/client.ts';
import { hashOfRoom, navigate } from '../../hooks/route.ts';
import { useWords } from '../../i18n/speech.tsx';
import type { AddOutcome } from '../../outbox/outbox.ts';
import { isOfRoom } from '../../outbox/pending.ts';
import type { RoomEntry } from '../../outbox/queue.ts';
import { faultText } from '../outbox/faults.ts';

export interface Entering {
  /** What was asked for last, for as long as it is not done. */
  entry: RoomEntry | undefined;
  problem: string | null;
  begin(outcome: AddOutcome): void;
}

/** Waits for a room that this page asked to make or to join, opens it, and says `done`. */
export function useEnter(done: () => void = nothing): Entering {
  const { common } = useWords();
  const [asked, setAsked] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const entered = useKnown((state) => state.entered);
  const entry = useQueue()
    .entries.filter(isOfRoom)
    .find(({ id }) => id === asked);

  useEffect(() => {
    if (asked === null || entered?.id !== asked) return;
    navigate(hashOfRoom(entered.conversation));
    done();
  }, [asked, entered, done]);

  const begin = (outcome: AddOutcome) => {
    setAsked('fault' in outcome ? null : outcome.id);
    setProblem('fault' in outcome ? faultText(outcome.fault, 0, common) : null);
  };
  return { entry, problem, begin };
}

function nothing(): void {}
