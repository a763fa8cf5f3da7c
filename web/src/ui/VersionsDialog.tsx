import { useEffect, useState } from 'react';
import type { VersionItem } from '../net/frames.ts';
import { Problem } from '../net/problem.ts';
import { Dialog } from './Dialog.tsx';
import { clockTime, dayName, hereAndNow } from './format.ts';
import { useClient, useNow } from './hooks.ts';

type Reading =
  | { status: 'reading' }
  | { status: 'read'; versions: readonly VersionItem[] }
  | { status: 'failed'; message: string };

interface VersionsDialogProps {
  conversation: string;
  seq: number;
  close(): void;
}

/** What a message said before, the newest first. */
export function VersionsDialog({ conversation, seq, close }: VersionsDialogProps) {
  const client = useClient();
  const now = useNow(false);
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
        const message = error instanceof Problem ? error.message : 'The versions could not be read.';
        setReading({ status: 'failed', message });
      },
    );
    return () => abort.abort();
  }, [client, conversation, seq, attempt]);

  return (
    <Dialog title="Earlier versions" close={close}>
      {reading.status === 'reading' && <p role="status">Reading…</p>}
      {reading.status === 'failed' && (
        <p className="problem" role="alert">
          {reading.message}{' '}
          <button type="button" className="link" onClick={() => setAttempt(attempt + 1)}>
            Try again
          </button>
        </p>
      )}
      {reading.status === 'read' && (
        <ol className="versions" aria-label="Versions, the newest first">
          {[...reading.versions].reverse().map(({ seq: version, text, at }, index) => (
            <li key={version}>
              <p className="hint">
                <time dateTime={at}>
                  {dayName(at, now, hereAndNow)}, {clockTime(at, hereAndNow)}
                </time>
                {index === 0 && ' (now)'}
              </p>
              <p className="text" dir="auto">
                {text}
              </p>
            </li>
          ))}
          {reading.versions.length === 0 && <li>There are none any more.</li>}
        </ol>
      )}
    </Dialog>
  );
}
