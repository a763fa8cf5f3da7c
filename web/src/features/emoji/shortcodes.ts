/** `:tada:` is 🎉, but not inside of code. Smileys like `:)` stay what they are. */
import type { EmojiBook } from './data.ts';

const SHORTCODE = /:([a-z0-9_+-]{1,64}):/g;
/** Code in a fence, to its end or the text's, and between backticks of the same number. */
const CODE = /```[\s\S]*?(?:```|$)|(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g;

/** Whether there is anything in it that may be a shortcode. */
export function mayHaveShortcodes(text: string): boolean {
  SHORTCODE.lastIndex = 0;
  return SHORTCODE.test(text);
}

/** The text with all of its shortcodes replaced. */
export function withEmoji(text: string, book: EmojiBook): string {
  const code = codeSpans(text);
  return text.replace(SHORTCODE, (written, name: string, at: number) =>
    begins(text, at) && !code.some(([from, to]) => at >= from && at < to)
      ? (book.byCode.get(name)?.emoji ?? written)
      : written,
  );
}

/** The shortcode that ends at `caret`, and what it stands for. */
export function shortcodeBefore(
  text: string,
  caret: number,
  book: EmojiBook,
): { start: number; emoji: string } | null {
  const match = /:([a-z0-9_+-]{1,64}):$/.exec(text.slice(0, caret));
  if (match === null || !begins(text, match.index) || isInCode(text, match.index)) return null;
  const emoji = book.byCode.get(match[1] ?? '')?.emoji;
  return emoji === undefined ? null : { start: match.index, emoji };
}

/** Whether what is written at `at` is code. A fence or backticks that are open still count, too. */
export function isInCode(text: string, at: number): boolean {
  if (codeSpans(text).some(([from, to]) => at > from && at < to)) return true;
  const line = text.slice(text.lastIndexOf('\n', at - 1) + 1, at);
  const before = line.replace(CODE, '');
  return before.includes('`');
}

function codeSpans(text: string): [from: number, to: number][] {
  return [...text.matchAll(CODE)].map(({ index, 0: code }) => {
    const open = code.startsWith('```') && !(code.length > 5 && code.endsWith('```'));
    return [index, open ? Number.POSITIVE_INFINITY : index + code.length];
  });
}

/** In `12:30:45` and `a::b:` nobody means an emoji; one may stand right behind another. */
function begins(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 70), at);
  return before.endsWith(':') ? /:[a-z0-9_+-]{1,64}:$/.test(before) : !/[\p{L}\p{N}]$/u.test(before);
}
