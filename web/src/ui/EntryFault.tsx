import type { Entry } from '../outbox/queue.ts';
import { refusalText } from './format.ts';
import { useClient } from './hooks.ts';

/** What was refused, and what one can do about it. */
export function EntryFault({ entry }: { entry: Entry }) {
  const { outbox } = useClient();
  return (
    <p className="fault" role="alert">
      <span>
        {notDone(entry)}: {refusalText(entry.fault)}
      </span>
      <button type="button" className="link" onClick={() => outbox.retry(entry.id)}>
        Retry
      </button>
      <button type="button" className="link" onClick={() => outbox.discard(entry.id)}>
        Discard
      </button>
    </p>
  );
}

function notDone(entry: Entry): string {
  switch (entry.kind) {
    case 'send':
      return 'Not sent';
    case 'edit':
      return 'Not edited';
    case 'delete':
      return 'Not deleted';
    case 'react':
      return entry.op === 'add' ? `Not reacted ${entry.emoji}` : `Not taken back ${entry.emoji}`;
    case 'block':
      return entry.blocked ? 'Not blocked' : 'Not unblocked';
    case 'create':
      return `${entry.name} not made`;
    case 'join':
      return `${entry.name} not joined`;
    case 'leave':
      return `${entry.name} not left`;
  }
}
