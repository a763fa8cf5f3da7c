import { type KeyboardEvent, type ReactNode, useId, useMemo, useState } from 'react';
import { useKnown } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Avatar } from '../../kit/Avatar.tsx';
import { oneLine } from '../../kit/bidi.ts';
import { isComposing } from '../../kit/composing.ts';
import { foldedText } from '../../kit/folded.ts';
import { idOfKey, peopleOfKey, roomOfKey } from '../../store/state.ts';
import type { EmojiBook } from '../emoji/data.ts';
import { searchEmoji } from '../emoji/search.ts';
import { toned } from '../emoji/tone.ts';
import { type Completing, completed, completingAt, isComplete } from './completion.ts';
import type { Edit } from './edit.ts';
import { mostShown, usePeople } from './usePeople.ts';

export interface Option {
  /** What it puts in. */
  chosen: string;
  sign: ReactNode;
  name: string;
  hint: string;
}

export interface Completion {
  options: readonly Option[];
  active: number;
  list: string;
  idOf(index: number): string;
  setActive(index: number): void;
  choose(index: number): void;
  /** True where the key was meant for the list. */
  keyDown(event: KeyboardEvent): boolean;
}

interface About {
  conversationKey: string;
  text: string;
  /** Null where there is nothing to complete: something is selected, or being composed. */
  caret: number | null;
  book: EmojiBook | null;
  tone: number;
  /** Whether this person may mention everybody. */
  everybody: boolean;
  apply(edit: Edit): void;
}

/** What can be put in for what is being written, and which of it is chosen. */
export function useCompletion(about: About): Completion {
  const { conversationKey, text, caret, book, tone, everybody, apply } = about;
  const list = useId();
  const written = useMemo(() => (caret === null ? null : completingAt(text, caret)), [text, caret]);
  // Escape sends the list away for as long as it is the same word.
  const [dismissed, setDismissed] = useState<number | null>(null);
  const completing = written !== null && written.from !== dismissed ? written : null;
  if (dismissed !== null && written === null && caret !== null) setDismissed(null);

  const options = useOptions(completing, conversationKey, book, tone, everybody);
  const [chosen, setChosen] = useState({ query: '', index: 0 });
  const query = completing?.query ?? '';
  const active = chosen.query === query ? Math.min(chosen.index, Math.max(0, options.length - 1)) : 0;
  const setActive = (index: number) => setChosen({ query, index });

  const choose = (index: number) => {
    const option = options[index];
    if (completing !== null && option !== undefined) apply(completed(text, completing, option.chosen));
  };
  const keyDown = (event: KeyboardEvent): boolean => {
    if (completing === null || options.length === 0 || isComposing(event.nativeEvent)) return false;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return false;
    switch (event.key) {
      case 'ArrowDown':
        setActive((active + 1) % options.length);
        break;
      case 'ArrowUp':
        setActive((active + options.length - 1) % options.length);
        break;
      case 'Enter':
        // Whoever has written it all has nothing to choose, and means to send it.
        if (isComplete(text, completing, options[active]?.chosen ?? '')) return false;
        choose(active);
        break;
      case 'Tab':
        choose(active);
        break;
      case 'Escape':
        setDismissed(completing.from);
        break;
      default:
        return false;
    }
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  return { options, active, list, idOf: (index) => `${list}-${index}`, setActive, choose, keyDown };
}

function useOptions(
  completing: Completing | null,
  conversationKey: string,
  book: EmojiBook | null,
  tone: number,
  everybody: boolean,
): readonly Option[] {
  const { composer } = useWords();
  const id = useKnown((state) => idOfKey(state, conversationKey));
  const others = useMemo(() => peopleOfKey(conversationKey), [conversationKey]);
  const asked = completing?.kind === 'person' ? completing.query : null;
  const people = usePeople(asked, id, roomOfKey(conversationKey), others);

  return useMemo(() => {
    if (completing?.kind === 'emoji') {
      if (book === null) return [];
      return searchEmoji(book, completing.query, mostShown()).map(({ emoji, label, codes, skins }) => {
        const form = skins ? toned(emoji, tone) : emoji;
        const hint = codes[0] === undefined ? '' : `:${codes[0]}:`;
        return { chosen: form, sign: <span className="emoji">{form}</span>, name: label, hint };
      });
    }
    if (asked === null) return [];
    const all = { chosen: '@room', sign: '@', name: '@room', hint: composer.everybody };
    const options = people.map(({ handle, name }) => ({
      chosen: `@${handle}`,
      sign: <Avatar handle={handle} name={name} presence={undefined} />,
      name: oneLine(name),
      hint: `@${handle}`,
    }));
    return everybody && 'room'.startsWith(foldedText(asked))
      ? [...options.slice(0, mostShown() - 1), all]
      : options;
  }, [completing, asked, book, people, tone, everybody, composer]);
}
