import { useEffect, useState } from 'react';
import { useSpeech } from '../../i18n/speech.tsx';
import { type EmojiBook, emojiBook, readyBook } from './data.ts';

/** All emoji in the language of the page, from the moment that they are wanted; null until they are there. */
export function useEmojiBook(wanted: boolean): EmojiBook | null {
  const { language } = useSpeech();
  const [book, setBook] = useState(() => readyBook(language));
  useEffect(() => {
    setBook(readyBook(language));
    if (!wanted) return;
    let here = true;
    // Where it can't be read now, the next one who wants it asks again.
    emojiBook(language).then(
      (read) => here && setBook(read),
      () => {},
    );
    return () => {
      here = false;
    };
  }, [wanted, language]);
  return book;
}
