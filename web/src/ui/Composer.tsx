import { type FormEvent, type KeyboardEvent, type RefObject, useEffect, useState } from 'react';
import { MAX_ENTRIES } from '../outbox/queue.ts';
import { MAX_SCALARS, normalised, scalarCount, textFault } from '../outbox/text.ts';
import { useClient } from './hooks.ts';
import { SendIcon } from './icons.tsx';

/** From here on the composer says how much room is left. */
const COUNT_FROM = MAX_SCALARS - 500;
const MAX_ROWS = 8;

interface ComposerProps {
  conversationKey: string;
  title: string;
  drafts: Map<string, string>;
  field: RefObject<HTMLTextAreaElement | null>;
  /** The arrow up where there is nothing written: says the last message otherwise. False where there is none. */
  editLast(): boolean;
}

export function Composer({ conversationKey, title, drafts, field, editLast }: ComposerProps) {
  const client = useClient();
  const [text, setText] = useState(() => drafts.get(conversationKey) ?? '');
  const [problem, setProblem] = useState<string | null>(null);
  const length = text.length < COUNT_FROM ? text.length : scalarCount(text);
  const left = MAX_SCALARS - length;

  useEffect(() => {
    // On a touch screen the focus would raise the keyboard over what one came to read.
    if (window.matchMedia('(pointer: fine)').matches) field.current?.focus();
  }, [field]);

  const write = (next: string) => {
    setText(next);
    setProblem(null);
    if (next === '') drafts.delete(conversationKey);
    else drafts.set(conversationKey, next);
    if (next.trim() !== '') client.typing(conversationKey);
  };

  const send = () => {
    const fault = textFault(normalised(text));
    if (fault === 'empty') return;
    const outcome = fault === null ? client.send(conversationKey, text) : { fault };
    if ('fault' in outcome) {
      setProblem(wordsFor(outcome.fault, length));
      return;
    }
    write('');
    field.current?.focus();
  };

  const submit = (event: FormEvent) => {
    event.preventDefault();
    send();
  };

  const keyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowUp' && text === '' && editLast()) {
      event.preventDefault();
      return;
    }
    // Enter that ends a composition (Japanese, Chinese …) is not meant for us.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };

  return (
    <form className="composer" onSubmit={submit} aria-label={`Write to ${title}`}>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <div className="composer-row">
        <textarea
          ref={field}
          value={text}
          rows={Math.min(MAX_ROWS, text.split('\n', MAX_ROWS).length)}
          onChange={(event) => write(event.target.value)}
          onKeyDown={keyDown}
          placeholder={`Message ${title}`}
          aria-label="Message"
          aria-describedby={left <= MAX_SCALARS - COUNT_FROM ? 'composer-left' : undefined}
          aria-invalid={left < 0}
          dir="auto"
          enterKeyHint="send"
        />
        <button
          type="submit"
          className="send"
          aria-label="Send"
          title="Send"
          aria-disabled={text.trim() === '' || left < 0}
        >
          <SendIcon />
        </button>
      </div>
      {left <= MAX_SCALARS - COUNT_FROM && (
        <p id="composer-left" className={left < 0 ? 'composer-left over' : 'composer-left'}>
          {left < 0 ? `${-left} characters too many` : `${left} characters left`}
        </p>
      )}
    </form>
  );
}

export function wordsFor(fault: string, length: number): string {
  switch (fault) {
    case 'too_long':
      return `A message has at most ${MAX_SCALARS.toLocaleString()} characters; this one has ${length.toLocaleString()}.`;
    case 'control_character':
      return 'There is an invisible control character in this text that a message can’t carry.';
    case 'full':
      return `${MAX_ENTRIES} messages and changes are waiting already. They have to leave before you can add more.`;
    default:
      return 'A message needs some text.';
  }
}
