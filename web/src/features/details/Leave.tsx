import { useState } from 'react';
import { useClient, useQueue } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { isolate } from '../../kit/bidi.ts';
import { ConfirmDialog } from '../../kit/ConfirmDialog.tsx';
import type { RoomFacts } from '../../net/frames.ts';
import type { AddOutcome } from '../../outbox/outbox.ts';

interface LeaveProps {
  id: string;
  facts: RoomFacts;
  /** What became of the wish. */
  outcome(of: AddOutcome): void;
}

export function Leave({ id, facts, outcome }: LeaveProps) {
  const client = useClient();
  const { room: said } = useWords();
  const [asking, setAsking] = useState(false);
  const leaving = useQueue().entries.some(
    (entry) => entry.kind === 'leave' && entry.to.conversation === id && entry.status !== 'failed',
  );
  const { name, visibility } = facts;
  return (
    <>
      <button
        type="button"
        className="button danger"
        aria-label={said.leaveWhat(isolate(name))}
        aria-disabled={leaving}
        onClick={() => !leaving && setAsking(true)}
      >
        {leaving ? said.leaving : said.leave}
      </button>
      {asking && (
        <ConfirmDialog
          title={said.leaveTitle(isolate(name))}
          deed={said.leave}
          stay={said.stay}
          run={() => outcome(client.do({ kind: 'leave', to: { conversation: id }, name }))}
          close={() => setAsking(false)}
        >
          {visibility === 'public' ? said.canJoinAgain : said.hasToBeAdded}
        </ConfirmDialog>
      )}
    </>
  );
}
