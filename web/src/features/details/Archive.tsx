import { useState } from 'react';
import { useClient } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { isolate } from '../../kit/bidi.ts';
import { ConfirmDialog } from '../../kit/ConfirmDialog.tsx';
import { ArchiveIcon } from '../../kit/icons.tsx';
import type { RoomFacts } from '../../net/frames.ts';
import type { AddOutcome } from '../../outbox/outbox.ts';

interface ArchiveProps {
  id: string;
  facts: RoomFacts;
  /** What became of the wish. */
  outcome(of: AddOutcome): void;
}

/** Puts a room away to be only read, and back. */
export function Archive({ id, facts, outcome }: ArchiveProps) {
  const client = useClient();
  const { details: said } = useWords();
  const [asking, setAsking] = useState(false);
  const to = { conversation: id };
  if (facts.archived) {
    return (
      <button
        type="button"
        className="button with-icon"
        onClick={() => outcome(client.do({ kind: 'update', to, changes: { archived: false } }))}
      >
        <ArchiveIcon />
        {said.open}
      </button>
    );
  }
  return (
    <>
      <button type="button" className="button with-icon" onClick={() => setAsking(true)}>
        <ArchiveIcon />
        {said.archive}
      </button>
      {asking && (
        <ConfirmDialog
          title={said.archiveTitle(isolate(facts.name))}
          deed={said.archiveDeed}
          run={() => outcome(client.do({ kind: 'archive', to }))}
          close={() => setAsking(false)}
        >
          {said.archiveMeans}
        </ConfirmDialog>
      )}
    </>
  );
}
