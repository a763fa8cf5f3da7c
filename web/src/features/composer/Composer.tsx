import {
  type ChangeEvent,
  type FormEvent,
  type KeyboardEvent,
  type RefObject,
  useCallback,
  useEffect,
  useId,
  useState,
} from 'react';
import { arePressed, isMac } from '../../app/keys/keys.ts';
import { useClient, useKnown, useSetting } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { isComposing } from '../../kit/composing.ts';
import { FormatIcon, SendIcon } from '../../kit/icons.tsx';
import { later } from '../../kit/later.tsx';
import { draftKey } from '../../outbox/drafts.ts';
import { MAX_SCALARS, scalarCount } from '../../outbox/text.ts';
import { idOfKey } from '../../store/state.ts';
import { useTaste } from '../emoji/taste.ts';
import { useEmojiBook } from '../emoji/useEmojiBook.ts';
import { CompletionList } from './CompletionList.tsx';
import { EmojiButton } from './EmojiButton.tsx';
import { applyEdit, type Edit } from './edit.ts';
import { formatOfKeys } from './formatKeys.ts';
import { type Format, formatted } from './formatting.ts';
import { ReplyBar } from './ReplyBar.tsx';
import { useCompletion } from './useCompletion.tsx';
import { useDraft } from './useDraft.ts';
import { useSend } from './useSend.ts';
import { useShortcodes } from './useShortcodes.ts';
import './composer.css';

const FormatBar = later(async () => (await import('./FormatBar.tsx')).FormatBar);

/** From here on the composer says how much room is left. */
const COUNT_FROM = MAX_SCALARS - 500;
const MAX_ROWS = 8;
const SETTING = 'composer.formatting';

interface ComposerProps {
  conversationKey: string;
  /** What is written goes into this thread. */
  thread?: number;
  title: string;
  /** Whether this person may mention everybody here. */
  everybody: boolean;
  field: RefObject<HTMLTextAreaElement | null>;
  /** The arrow up where there is nothing written: says the last message otherwise. False where there is none. */
  editLast(): boolean;
}

export function Composer({ conversationKey, thread, title, everybody, field, editLast }: ComposerProps) {
  const client = useClient();
  const { drafts, settings } = client;
  const draft = draftKey(conversationKey, thread);
  const { composer } = useWords();
  const conversation = useKnown((state) => idOfKey(state, conversationKey));
  const { text, reply } = useDraft(draft) ?? { text: '', reply: null };
  const formatting = useSetting(SETTING) === true;
  const [caret, setCaret] = useState<number | null>(null);
  const ids = useId();
  const book = useEmojiBook(text.includes(':'));
  const [{ tone }] = useTaste();
  const length = text.length < COUNT_FROM ? text.length : scalarCount(text);
  const left = MAX_SCALARS - length;

  useEffect(() => {
    const { current } = field;
    // On a touch screen the focus would raise the keyboard over what one came to read.
    if (current === null || !window.matchMedia('(pointer: fine)').matches) return;
    current.focus();
    // A draft goes on where it ends.
    current.setSelectionRange(current.value.length, current.value.length);
  }, [field]);
  useEffect(() => () => drafts.release(draft), [drafts, draft]);
  // It is asked for without a network, too.
  useEffect(() => FormatBar.fetch(), []);

  const apply = useCallback(
    (edit: Edit) => {
      if (field.current !== null) applyEdit(field.current, edit);
    },
    [field],
  );
  const turnShortcode = useShortcodes(field, apply);
  const completion = useCompletion({ conversationKey, text, caret, book, tone, everybody, apply });

  const lookAtCaret = (composing: boolean) => {
    const { selectionStart, selectionEnd } = field.current ?? { selectionStart: 0, selectionEnd: 1 };
    setCaret(!composing && selectionStart === selectionEnd ? selectionStart : null);
  };
  const write = (event: ChangeEvent<HTMLTextAreaElement>) => {
    const { value } = event.currentTarget;
    const { nativeEvent } = event;
    const typed = nativeEvent instanceof InputEvent ? nativeEvent : null;
    drafts.write(draft, { text: value });
    forget();
    lookAtCaret(typed?.isComposing === true);
    // Of a thread nobody could tell who types there.
    if (value.trim() !== '' && thread === undefined) client.typing(conversationKey);
    if (typed !== null) turnShortcode(typed);
  };

  const { send, problem, forget } = useSend(conversationKey, thread, book, () => {
    setCaret(null);
    field.current?.focus();
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send();
  };
  const put = useCallback(
    (format: Format) => {
      const { current } = field;
      if (current === null) return;
      apply(formatted(current.value, current.selectionStart, current.selectionEnd, format));
    },
    [apply, field],
  );
  const keyDown = (event: KeyboardEvent) => {
    if (isComposing(event.nativeEvent) || completion.keyDown(event)) return;
    const format = formatOfKeys(event.nativeEvent);
    if (format !== null) {
      event.preventDefault();
      put(format);
    } else if (event.key === 'Escape' && reply !== null) {
      event.preventDefault();
      drafts.write(draft, { reply: null });
    } else if (arePressed({ key: 'ArrowUp' }, event.nativeEvent, isMac()) && text === '') {
      if (editLast()) event.preventDefault();
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      send();
    }
  };

  const counts = left <= MAX_SCALARS - COUNT_FROM;
  const described = [reply !== null && `${ids}-reply`, counts && `${ids}-left`].filter((id) => id !== false);
  const open = completion.options.length > 0;
  return (
    <form
      className="composer"
      onSubmit={submit}
      aria-label={thread === undefined ? composer.writeTo(title) : composer.replyInThread}
    >
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <CompletionList completion={completion} />
      {reply !== null && (
        <ReplyBar
          id={`${ids}-reply`}
          reply={reply}
          conversation={conversation}
          cancel={() => {
            drafts.write(draft, { reply: null });
            field.current?.focus();
          }}
        />
      )}
      {formatting && <FormatBar put={put} />}
      <div className="composer-row">
        <div className="composer-box">
          <textarea
            ref={field}
            value={text}
            rows={Math.min(MAX_ROWS, text.split('\n', MAX_ROWS).length)}
            onChange={write}
            onKeyDown={keyDown}
            onSelect={(event) => lookAtCaret(event.nativeEvent instanceof CompositionEvent)}
            onCompositionStart={() => setCaret(null)}
            onCompositionEnd={() => lookAtCaret(false)}
            onFocus={() => drafts.hold(draft)}
            onBlur={() => {
              drafts.release(draft);
              setCaret(null);
            }}
            placeholder={thread === undefined ? composer.placeholder(title) : composer.replyInThread}
            aria-label={thread === undefined ? composer.message : composer.reply}
            aria-describedby={described.length === 0 ? undefined : described.join(' ')}
            aria-invalid={left < 0}
            // A text field that completes: the list is named and announced, the active one has the keyboard.
            aria-autocomplete="list"
            aria-haspopup="listbox"
            aria-controls={open ? completion.list : undefined}
            aria-activedescendant={open ? completion.idOf(completion.active) : undefined}
            dir="auto"
            enterKeyHint="send"
          />
          <button
            type="button"
            className="icon-button"
            aria-label={composer.formatting}
            title={composer.formatting}
            aria-pressed={formatting}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => settings.set(SETTING, !formatting)}
          >
            <FormatIcon />
          </button>
          <EmojiButton field={field} apply={apply} />
        </div>
        <button
          type="submit"
          className="send"
          aria-label={composer.send}
          title={composer.send}
          aria-disabled={text.trim() === '' || left < 0}
        >
          <SendIcon />
        </button>
      </div>
      {counts && (
        <p id={`${ids}-left`} className={left < 0 ? 'composer-left over' : 'composer-left'}>
          {left < 0 ? composer.charactersTooMany(-left) : composer.charactersLeft(left)}
        </p>
      )}
    </form>
  );
}
