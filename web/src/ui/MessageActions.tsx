import { type FormEvent, type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { oneEmoji, QUICK } from './emoji.ts';
import { MoreIcon } from './icons.tsx';

interface MessageActionsProps {
  /** Of whom the message is, for those who do not see where the button stands. */
  author: string;
  mine: boolean;
  react(emoji: string): void;
  edit(): void;
  remove(): void;
}

/** One button beside a message, and behind it all that can be done to the message. */
export function MessageActions({ author, mine, react, edit, remove }: MessageActionsProps) {
  const [open, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLFieldSetElement>(null);
  const id = useId();

  useEffect(() => {
    if (!open) return;
    panel.current?.scrollIntoView({ block: 'nearest' });
    panel.current?.querySelector('button')?.focus();
  }, [open]);

  const then = (action: () => void) => () => {
    setOpen(false);
    // Before the panel goes, and with it the focus.
    opener.current?.focus();
    action();
  };
  const keyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') then(() => {})();
  };

  return (
    <>
      <button
        ref={opener}
        type="button"
        className="icon-button more"
        aria-label={mine ? 'Actions for your message' : `Actions for the message of ${author}`}
        title="React and more"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
      >
        <MoreIcon />
      </button>
      {open && (
        <fieldset ref={panel} id={id} className="actions" aria-label="Message actions" onKeyDown={keyDown}>
          {QUICK.map(([emoji, name]) => (
            <button
              key={emoji}
              type="button"
              className="quick emoji"
              aria-label={`React with ${name}`}
              title={name}
              onClick={then(() => react(emoji))}
            >
              {emoji}
            </button>
          ))}
          <AnyEmoji react={(emoji) => then(() => react(emoji))()} />
          {mine && (
            <span className="own-actions">
              <button type="button" className="button small" onClick={then(edit)}>
                Edit
              </button>
              <button type="button" className="button small danger" onClick={then(remove)}>
                Delete
              </button>
            </span>
          )}
        </fieldset>
      )}
    </>
  );
}

/** Whatever emoji the keyboard or the clipboard has. */
function AnyEmoji({ react }: { react(emoji: string): void }) {
  const [written, setWritten] = useState('');
  const [wrong, setWrong] = useState(false);
  const problem = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const emoji = oneEmoji(written);
    if (emoji === null) setWrong(true);
    else react(emoji);
  };
  return (
    <form className="any-emoji" onSubmit={submit}>
      <input
        value={written}
        onChange={(event) => {
          setWritten(event.target.value);
          setWrong(false);
        }}
        aria-label="Another emoji"
        aria-invalid={wrong}
        aria-describedby={wrong ? problem : undefined}
        placeholder="Another…"
        autoComplete="off"
        maxLength={40}
        enterKeyHint="done"
      />
      {wrong && (
        <span id={problem} className="problem" role="alert">
          That is not one emoji.
        </span>
      )}
    </form>
  );
}
