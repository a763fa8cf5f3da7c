import { type RefObject, useCallback } from 'react';
import { useSpeech } from '../../i18n/speech.tsx';
import { type EmojiBook, emojiBook } from '../emoji/data.ts';
import { shortcodeBefore } from '../emoji/shortcodes.ts';
import type { Edit } from './edit.ts';

/** Gives what makes an emoji of a shortcode, once its last colon is typed. */
export function useShortcodes(
  field: RefObject<HTMLTextAreaElement | null>,
  apply: (edit: Edit) => void,
): (typed: InputEvent) => void {
  const { language } = useSpeech();
  return useCallback(
    ({ inputType, data }) => {
      if (inputType !== 'insertText' || data?.endsWith(':') !== true) return;
      const turn = (emoji: EmojiBook) => {
        const { value = '', selectionStart: to = 0, selectionEnd = 0 } = field.current ?? {};
        const found = to === selectionEnd ? shortcodeBefore(value, to, emoji) : null;
        if (found !== null) apply({ from: found.start, to, text: found.emoji });
      };
      emojiBook(language).then(
        // After this event, for the browser does one thing to a field at a time.
        (read) => setTimeout(() => turn(read)),
        () => {},
      );
    },
    [apply, field, language],
  );
}
