import { type FormEvent, type KeyboardEvent, type RefObject, useEffect, useState } from 'react';
import { useClient } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { isolate } from '../../kit/bidi.ts';
import { isComposing } from '../../kit/composing.ts';
import type { AddOutcome } from '../../outbox/outbox.ts';
import { MAX_SCALARS, scalarCount } from '../../outbox/text.ts';
import { useDraft } from '../composer/useDraft.ts';
import { faultText } from '../outbox/faults.ts';
import { plain } from './text/plain.ts';

const MAX_ROWS = 8;

interface EditFormProps {
  text: string;
  /** Where what is written is kept. */
  draft: string;
  field: RefObject<HTMLTextAreaElement | null>;
  save(text: string): AddOutcome;
  /** Saved, or left as it was. */
  close(): void;
}

/** A message's text, to be said otherwise, where it stands. */
export function EditForm({ text: before, draft, field, save, close }: EditFormProps) {
  const { common, message } = useWords();
  const { drafts } = useClient();
  const { text, base = before } = useDraft(draft) ?? { text: before };
  const [problem, setProblem] = useState<string | null>(null);
  const changed = before !== base;
  const untouched = text === base;

  // On another device, or by another tab: who has written nothing here yet loses nothing.
  useEffect(() => {
    if (changed && untouched) drafts.drop(draft);
  }, [changed, untouched, drafts, draft]);

  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    const outcome = text === before ? null : save(text);
    if (outcome === null || !('fault' in outcome)) close();
    else if (outcome.fault === 'empty') setProblem(message.emptyEdit);
    else setProblem(faultText(outcome.fault, scalarCount(text), common));
  };
  const keyDown = (event: KeyboardEvent) => {
    if (isComposing(event.nativeEvent)) return;
    if (event.key === 'Escape') {
      event.preventDefault();
      close();
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      submit();
    }
  };

  return (
    <form className="edit" onSubmit={submit} aria-label={message.editMessage}>
      <textarea
        ref={field}
        value={text}
        rows={Math.min(MAX_ROWS, text.split('\n', MAX_ROWS).length)}
        onChange={(event) => {
          drafts.write(draft, { text: event.target.value });
          setProblem(null);
        }}
        onKeyDown={keyDown}
        aria-label={message.newText}
        aria-invalid={scalarCount(text) > MAX_SCALARS}
        dir="auto"
        enterKeyHint="done"
      />
      <div role="status">
        {changed && <p className="hint">{message.changedMeanwhile(isolate(plain(before)))}</p>}
      </div>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <div className="edit-actions">
        <button type="button" className="button small" onClick={close}>
          {common.cancel}
        </button>
        <button type="submit" className="button small primary">
          {message.save}
        </button>
      </div>
    </form>
  );
}
