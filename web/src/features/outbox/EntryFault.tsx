import { useClient } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { isolate } from '../../kit/bidi.ts';
import { canRetry, type Entry } from '../../outbox/queue.ts';
import type { message } from '../message/words.en.ts';
import { refusalText } from './faults.ts';

/** What was refused, and what one can do about it. */
export function EntryFault({ entry }: { entry: Entry }) {
  const { outbox } = useClient();
  const { message, common } = useWords();
  const { refused } = message;
  return (
    <p className="fault" role="alert">
      <span>{refused.because(notDone(entry, refused), refusalText(entry.fault, common, entry.kind))}</span>
      {canRetry(entry) && (
        <button type="button" className="link" onClick={() => outbox.retry(entry.id)}>
          {message.retry}
        </button>
      )}
      <button type="button" className="link" onClick={() => outbox.discard(entry.id)}>
        {message.discard}
      </button>
    </p>
  );
}

function notDone(entry: Entry, words: (typeof message)['refused']): string {
  switch (entry.kind) {
    case 'react':
      return entry.op === 'add' ? words.react(entry.emoji) : words.unreact(entry.emoji);
    case 'block':
      return entry.blocked ? words.block : words.unblock;
    case 'pin':
      return entry.op === 'add' ? words.pin : words.unpin;
    case 'create':
    case 'join':
    case 'leave':
      return words[entry.kind](isolate(entry.name));
    case 'add':
    case 'remove':
    case 'ban':
    case 'unban':
    case 'role':
      return words[entry.kind](entry.user);
    default:
      return words[entry.kind];
  }
}
