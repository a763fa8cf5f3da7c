/** The part of a message in which what was searched for stands, in pieces: the words that were found, and the rest. */
import { foldedText } from '../../kit/folded.ts';

export interface Piece {
  text: string;
  found: boolean;
}

/** About as much as a few lines of a pane hold. */
const BEFORE = 60;
const MAX_LENGTH = 280;
const WORD = /[\p{L}\p{N}\p{M}_]+/gu;

/** `words` begin the words that are found, in whatever case and with whatever accents. */
export function excerpt(text: string, words: string): readonly Piece[] {
  const sought = [...words.matchAll(WORD)].map(([word]) => foldedText(word)).filter((word) => word !== '');
  const found = [...text.matchAll(WORD)].filter(([word]) => {
    const folded = foldedText(word);
    return sought.some((one) => folded.startsWith(one));
  });
  const [start, end] = windowOf(text, found[0]?.index ?? 0);
  const pieces: Piece[] = [];
  const put = (piece: string, isFound: boolean) => {
    if (piece !== '') pieces.push({ text: piece, found: isFound });
  };
  let at = start;
  if (start > 0) put('…', false);
  for (const { 0: word, index } of found) {
    if (index < start || index + word.length > end) continue;
    put(text.slice(at, index), false);
    put(word, true);
    at = index + word.length;
  }
  put(text.slice(at, end), false);
  if (end < text.length) put('…', false);
  return pieces;
}

/** Around the first word that was found, cut between words. */
function windowOf(text: string, first: number): [start: number, end: number] {
  if (text.length <= MAX_LENGTH) return [0, text.length];
  const from = first <= BEFORE ? 0 : text.indexOf(' ', first - BEFORE) + 1;
  const start = from > first ? first : from;
  if (start + MAX_LENGTH >= text.length) return [start, text.length];
  const to = text.lastIndexOf(' ', start + MAX_LENGTH);
  return [start, to > start ? to : start + MAX_LENGTH];
}
