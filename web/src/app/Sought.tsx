import { useEffect } from 'react';
import { refusalText } from '../features/outbox/faults.ts';
import { useClient, useKnown } from '../hooks/client.ts';
import { useWords } from '../i18n/speech.tsx';
import { rowReading } from '../store/state.ts';

/** In the place of a conversation that a link names, until it is known what it is. */
export function Sought({ id }: { id: string }) {
  const client = useClient();
  const { app, common } = useWords();
  const reading = useKnown((state) => state.readings.get(rowReading(id)));
  const listed = useKnown((state) => state.list.status === 'done');

  // Once the list is here there is a session, and something to ask as new as that.
  useEffect(() => {
    if (listed) void client.lookFor(id);
  }, [client, id, listed]);

  return reading?.status === 'failed' ? (
    <p className="pane-empty" role="alert">
      {refusalText(reading.fault, common)}
    </p>
  ) : (
    <p className="pane-empty appears-late">{app.lookingForConversation}</p>
  );
}
