/** Finds emoji by what people call them. */
import { foldedText } from '../../kit/folded.ts';
import { oneEmoji } from '../message/emoji.ts';
import type { Emoji, EmojiBook } from './data.ts';

/** As many as one looks through. */
export const MAX_FOUND = 80;

/** The best first; nothing for what is nobody's name. An emoji that was typed or pasted finds itself. */
export function searchEmoji(book: EmojiBook, written: string, limit = MAX_FOUND): Emoji[] {
  const itself = oneEmoji(written);
  if (itself !== null) {
    return [book.byEmoji.get(itself) ?? { emoji: itself, label: itself, tags: [], codes: [], skins: false }];
  }
  const words = foldedText(written).replaceAll(':', ' ').split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const ranked: { emoji: Emoji; rank: number }[] = [];
  for (const emoji of book.all) {
    const rank = rankOf(emoji, words);
    if (rank !== null) ranked.push({ emoji, rank });
  }
  // Sorting keeps the order of Unicode among equals.
  return ranked
    .sort((a, b) => a.rank - b.rank)
    .slice(0, limit)
    .map(({ emoji }) => emoji);
}

/** How far from what was asked for; every word has to be found somewhere. */
function rankOf(emoji: Emoji, words: readonly string[]): number | null {
  const names = foldedNames(emoji);
  let worst = 0;
  for (const word of words) {
    const rank = rankOfWord(names, word);
    if (rank === null) return null;
    worst = Math.max(worst, rank);
  }
  return worst;
}

function rankOfWord({ codes, label, tags }: Names, word: string): number | null {
  if (codes.includes(word) || label.join(' ') === word) return 0;
  if (codes.some((code) => code.startsWith(word))) return 1;
  if (label.some((part) => part.startsWith(word))) return 2;
  if (tags.some((tag) => tag === word)) return 3;
  if (tags.some((tag) => tag.startsWith(word))) return 4;
  if (codes.some((code) => code.includes(word))) return 5;
  return label.some((part) => part.includes(word)) ? 6 : null;
}

interface Names {
  codes: readonly string[];
  label: readonly string[];
  tags: readonly string[];
}

const folded = new WeakMap<Emoji, Names>();

/** Folding 2,000 of them takes longer than searching, so it is done once. */
function foldedNames(emoji: Emoji): Names {
  const known = folded.get(emoji);
  if (known !== undefined) return known;
  const names = {
    codes: emoji.codes,
    label: foldedText(emoji.label).split(/[\s:,-]+/),
    tags: emoji.tags.map(foldedText),
  };
  folded.set(emoji, names);
  return names;
}
