import { useWords } from '../../i18n/speech.tsx';
import type { Reading } from '../../store/state.ts';
import { refusalText } from '../outbox/faults.ts';

/** Where what is here ends and more is to come: that it comes, or why not. */
export function Edge(props: { of: 'older' | 'newer'; reading: Reading | undefined; load(): void }) {
  const { of, reading, load } = props;
  const { timeline } = useWords();
  if (reading?.status === 'loading') return <p className="edge">{timeline.loading}</p>;
  const failed = reading?.status === 'failed';
  return (
    <button type="button" className="button edge-button" onClick={load}>
      {failed ? timeline.failed[of] : timeline[of]}
    </button>
  );
}

interface TopProps {
  reading: Reading | undefined;
  empty: boolean;
  nothingYet: string;
  retry(): void;
}

/** What stands in the place of messages, where there are none. */
export function Top({ reading, empty, nothingYet, retry }: TopProps) {
  const { common, timeline } = useWords();
  switch (reading?.status) {
    case 'done':
      return empty ? <p className="timeline-note">{nothingYet}</p> : null;
    case 'failed':
      return (
        <p className="timeline-note" role="alert">
          {refusalText(reading.fault, common)}{' '}
          <button type="button" className="link" onClick={retry}>
            {common.tryAgain}
          </button>
        </p>
      );
    default:
      return empty ? <p className="timeline-note appears-late">{timeline.loading}</p> : null;
  }
}
