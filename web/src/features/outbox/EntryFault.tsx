import { useRef } from 'react';
import { useClient } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { isolate } from '../../kit/bidi.ts';
import { focusPast } from '../../kit/places.ts';
import { canRetry, type Entry } from '../../outbox/queue.ts';
import type { message } from '../message/words.en.ts';
import { refusalText } from './faults.ts';

/** What was refused, and what one can do about it. */
export function EntryFault({ entry }: { entry: Entry }) {
  const { outbox } = useClient();
  const { message, common } = useWords();
  const { refused } = message;
  const fault = useRef<HTMLParagraphElement>(null);
  const answered = (then: (id: string) => void) => () => {
    // In a conversation the keyboard goes on by itself.
    if (fault.current?.closest('[role="log"]') === null) focusPast(fault.current);
    then(entry.id);
  };
  return (
    <p ref={fault} className="fault" role="alert">
      <span>{refused.because(notDone(entry, refused), refusalText(entry.fault, common, entry.kind))}</span>
      {canRetry(entry) && (
        <button type="button" className="link" onClick={answered((id) => outbox.retry(id))}>
          {message.retry}
        </button>
      )}
      <button type="button" className="link" onClick={answered((id) => outbox.discard(id))}>
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
