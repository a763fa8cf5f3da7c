import { useEffect, useState } from 'react';
import { useClient } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Dialog } from '../../kit/Dialog.tsx';
import type { VersionItem } from '../../net/frames.ts';
import { type Fault, faultOf, Problem } from '../../net/problem.ts';
import { refusalText } from '../outbox/faults.ts';
import { Text } from './text/Text.tsx';
import { When } from './When.tsx';

type Reading =
  | { status: 'reading' }
  | { status: 'read'; versions: readonly VersionItem[] }
  | { status: 'failed'; fault: Fault | null };

interface VersionsDialogProps {
  conversation: string;
  seq: number;
  close(): void;
}

/** What a message said before, the newest first. */
export function VersionsDialog({ conversation, seq, close }: VersionsDialogProps) {
  const client = useClient();
  const { common, message } = useWords();
  const [attempt, setAttempt] = useState(1);
  const [reading, setReading] = useState<Reading>({ status: 'reading' });

  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt reads the same once more
  useEffect(() => {
    const abort = new AbortController();
    setReading({ status: 'reading' });
    client.versions(conversation, seq, abort.signal).then(
      (versions) => !abort.signal.aborted && setReading({ status: 'read', versions }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        setReading({ status: 'failed', fault: error instanceof Problem ? faultOf(error) : null });
      },
    );
    return () => abort.abort();
  }, [client, conversation, seq, attempt]);

  return (
    <Dialog title={message.versionsTitle} close={close}>
      {reading.status === 'reading' && <p role="status">{message.reading}</p>}
      {reading.status === 'failed' && (
        <p className="problem" role="alert">
          {reading.fault === null ? message.versionsFailed : refusalText(reading.fault, common)}{' '}
          <button type="button" className="link" onClick={() => setAttempt(attempt + 1)}>
            {common.tryAgain}
          </button>
        </p>
      )}
      {reading.status === 'read' && (
        <ol className="versions" aria-label={message.versions}>
          {[...reading.versions].reverse().map(({ seq: version, text, at }, index) => (
            <li key={version}>
              <p className="hint">
                <When at={at} />
                {index === 0 && ` ${message.now}`}
              </p>
              <Text text={text} />
            </li>
          ))}
          {reading.versions.length === 0 && <li>{message.noVersions}</li>}
        </ol>
      )}
    </Dialog>
  );
}
