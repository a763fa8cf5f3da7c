/** What is asked of a search, and why it can't be. */
import type { Route } from '../../hooks/route.ts';
import type { SearchQuestion } from '../../store/listings.ts';

/** The server looks for so many words, and takes no more characters. */
const MAX_WORDS = 10;
export const MAX_CHARACTERS = 100;

/** What stands in the form. */
export interface Asked {
  words: string;
  from: string;
  /** A day (2026-05-31), or nothing. */
  before: string;
  everywhere: boolean;
}

export const NOTHING: Asked = { words: '', from: '', before: '', everywhere: false };

const HANDLE = /^[a-z0-9][a-z0-9_-]{1,31}$/;

export type Fault = 'too_many_words' | 'no_handle';

/** Null while there is nothing to ask. */
export function questionOf(
  { words, from, before, everywhere }: Asked,
  conversation: string,
): SearchQuestion | { fault: Fault } | null {
  const said = words.trim();
  const handle = from.trim().replace(/^@/, '').toLowerCase();
  if (!/[\p{L}\p{N}]/u.test(said)) return null;
  if (said.split(/\s+/).length > MAX_WORDS) return { fault: 'too_many_words' };
  if (handle !== '' && !HANDLE.test(handle)) return { fault: 'no_handle' };
  return { list: 'search', conversation, everywhere, words: said, from: handle, before: startOf(before) };
}

export function isSame(one: SearchQuestion, other: SearchQuestion): boolean {
  return (
    one.everywhere === other.everywhere &&
    (one.everywhere || one.conversation === other.conversation) &&
    one.words === other.words &&
    one.from === other.from &&
    one.before === other.before
  );
}

/** Whether what was found is looked at still: beside the conversation, or by going to one of the messages. */
export function isKept(route: Route): boolean {
  return route.page === 'conversation' && (route.pane?.name === 'search' || route.at !== null);
}

/** What stood in the form when this was asked. */
export function askedIn({ words, from, before, everywhere }: SearchQuestion): Asked {
  return { words, from, before: before === null ? '' : dayIn(before), everywhere };
}

/** The moment at which a day begins here. */
function startOf(day: string): string | null {
  const at = day === '' ? Number.NaN : new Date(`${day}T00:00`).getTime();
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}

function dayIn(at: string): string {
  const date = new Date(at);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
