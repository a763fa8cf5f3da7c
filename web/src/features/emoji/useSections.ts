import { useMemo } from 'react';
import { useWords } from '../../i18n/speech.tsx';
import type { Emoji, EmojiBook } from './data.ts';
import type { Section } from './EmojiSection.tsx';
import { searchEmoji } from './search.ts';

interface Sections {
  sections: readonly Section[];
  /** Of all sections, one after the other. */
  cells: readonly Emoji[];
  /** The number of the first cell of each section. */
  starts: readonly number[];
}

/** What there is to pick from: what was found, or what was used lately and then all groups. */
export function useSections(book: EmojiBook | null, words: string, recent: readonly string[]): Sections {
  const { emoji: says } = useWords();
  return useMemo(() => {
    const sections = sectionsOf(book, words, recent, says);
    return { sections, cells: sections.flatMap(({ emoji }) => emoji), starts: startsOf(sections) };
  }, [book, words, recent, says]);
}

function sectionsOf(
  book: EmojiBook | null,
  words: string,
  recent: readonly string[],
  says: { results: string; recent: string },
): Section[] {
  if (book === null) return [];
  if (words.trim() !== '') return [{ key: 'found', name: says.results, emoji: searchEmoji(book, words) }];
  const last = recent.flatMap((emoji) => book.byEmoji.get(emoji) ?? []);
  return [...(last.length === 0 ? [] : [{ key: 'recent', name: says.recent, emoji: last }]), ...book.groups];
}

function startsOf(sections: readonly Section[]): number[] {
  let next = 0;
  return sections.map(({ emoji }) => {
    const start = next;
    next += emoji.length;
    return start;
  });
}
