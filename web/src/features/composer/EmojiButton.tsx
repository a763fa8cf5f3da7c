import { type RefObject, useRef, useState } from 'react';
import { useSpeech } from '../../i18n/speech.tsx';
import { SmileIcon } from '../../kit/icons.tsx';
import { fetchPicker, PickEmoji } from '../emoji/PickEmoji.tsx';
import type { Edit } from './edit.ts';

interface EmojiButtonProps {
  field: RefObject<HTMLTextAreaElement | null>;
  apply(edit: Edit): void;
}

/** Puts an emoji where the caret is, or in the place of what is selected. */
export function EmojiButton({ field, apply }: EmojiButtonProps) {
  const { language, words } = useSpeech();
  const { composer } = words;
  const [picking, setPicking] = useState(false);
  const place = useRef<[from: number, to: number]>([0, 0]);
  const button = useRef<HTMLButtonElement>(null);

  const open = () => {
    // Now, for a field that loses the focus and gets it back may forget where the caret was.
    const { selectionStart = 0, selectionEnd = 0 } = field.current ?? {};
    place.current = [selectionStart, selectionEnd];
    setPicking(true);
  };
  const insert = (emoji: string) => {
    const [from, to] = place.current;
    apply({ from, to, text: emoji });
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className="icon-button"
        aria-label={composer.emoji}
        title={composer.emoji}
        aria-haspopup="dialog"
        onPointerEnter={() => fetchPicker(language)}
        onFocus={() => fetchPicker(language)}
        onClick={open}
      >
        <SmileIcon />
      </button>
      {picking && <PickEmoji anchor={button.current} pick={insert} close={() => setPicking(false)} />}
    </>
  );
}
