/**
 * Text that others wrote, among words that we wrote. The server lets signs through that turn the direction of what follows
 * (CMD4 refuses controls only); with them `gpj.exe` reads as `exe.jpg`, and a name can turn the sentence around it.
 */

/** Marks, embeddings, overrides and isolates: the same as on the terminal. */
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const SEPARATORS = /[\u2028\u2029]/g;
const FIRST_STRONG = '\u2068';
const POP = '\u2069';

/** Latin from end to end: it can't turn anything around it, and nothing can turn it. */
const STEADY = /^\p{Script=Latin}(?:[\p{Script=Latin}\d !-/:-@[-`{-~]*[\p{Script=Latin}\d])?$/u;

/** Text as it reads from its first letter to its last. */
export function untwisted(text: string): string {
  return text.replace(TURNING, '').replace(SEPARATORS, '\n');
}

/** The same for code, where nothing may be missing: what would turn it is seen. */
export function withTwistsSeen(code: string): string {
  return code
    .replace(TURNING, (sign) => `[U+${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`)
    .replace(SEPARATORS, '\n');
}

/** A name on one line. */
export function oneLine(name: string): string {
  return untwisted(name).replaceAll('\n', ' ');
}

/** A name for the middle of a sentence, title or label, that keeps its direction to itself. On a page `Name` does it. */
export function isolate(name: string): string {
  const line = oneLine(name);
  return STEADY.test(line) ? line : FIRST_STRONG + line + POP;
}
