/** Conversations by what one remembers of them: names, handles and rooms, without accents. */
import { foldedText } from '../../kit/folded.ts';
import type { Row } from './rows.ts';

/** What somebody may type into a search. */
export const MAX_QUERY_CHARS = 80;

/** What a conversation goes by. */
export type NamesOf = (row: Row) => { title: string; handles: readonly string[] };

/** Those that are called like that, the best first; of equals the order stays, so the newest activity is first. */
export function foundRows(rows: readonly Row[], query: string, namesOf: NamesOf): Row[] {
  const asked = wordsOf(query);
  return rows
    .map((row) => ({ row, rank: rankOf(asked, namesOf(row)) }))
    .filter(({ rank }) => rank < NOT_FOUND)
    .sort((a, b) => a.rank - b.rank)
    .map(({ row }) => row);
}

/** A handle as it can be asked for; null where no handle begins with what was typed. */
export function handleIn(query: string): string | null {
  const handle = foldedText(query.trim().replace(/^@/, ''));
  return HANDLE.test(handle) ? handle : null;
}

const HANDLE = /^[a-z0-9][a-z0-9_-]{0,31}$/;
const NOT_FOUND = 4;

function rankOf(asked: readonly string[], { title, handles }: ReturnType<NamesOf>): number {
  const all = asked.join(' ');
  const name = foldedText(title);
  if (name.startsWith(all)) return 0;
  const words = [...wordsOf(title), ...handles];
  if (asked.every((word) => words.some((known) => known.startsWith(word)))) return 1;
  if (name.includes(all)) return 2;
  return handles.some((handle) => handle.includes(all)) ? 3 : NOT_FOUND;
}

/** A handle stays one word. */
function wordsOf(text: string): string[] {
  return foldedText(text)
    .split(/[^\p{L}\p{N}_-]+/u)
    .filter((word) => word !== '');
}
