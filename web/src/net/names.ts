/** What an `@` in a text may be part of: somebody's handle, everybody in the room, or an address of mail. */

/** As the server finds them (`protocol/src/text.rs`): at the beginning of a word, a dash at the end is the sentence's. */
const IN_WORD_BEFORE = /[\p{L}\p{N}_\-@./]$/u;
const HANDLE = /[a-z0-9][a-z0-9_-]{1,31}/iy;
const HANDLE_PART = /[a-z0-9_-]/i;
const MAIL_PART = /[a-z0-9._+-]/i;
const MAX_MAIL_NAME = 64;
const MAIL_HOST = /(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}(?![a-z0-9_@-])/iy;

export type Piece =
  | { kind: 'text'; text: string }
  | { kind: 'mention'; text: string; handle: string }
  | { kind: 'mail'; text: string };

export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    const found = mailAt(text, at, done) ?? mentionAt(text, at);
    if (found === null) continue;
    const { start, piece } = found;
    if (start > done) pieces.push({ kind: 'text', text: text.slice(done, start) });
    pieces.push(piece);
    done = start + piece.text.length;
    at = done - 1;
  }
  if (done < text.length) pieces.push({ kind: 'text', text: text.slice(done) });
  return pieces;
}

interface Found {
  start: number;
  piece: Piece;
}

function mentionAt(text: string, at: number): Found | null {
  if (IN_WORD_BEFORE.test(text.slice(Math.max(0, at - 2), at))) return null;
  HANDLE.lastIndex = at + 1;
  const written = HANDLE.exec(text)?.[0];
  if (written === undefined || HANDLE_PART.test(text.charAt(at + 1 + written.length))) return null;
  const name = written.replace(/-+$/, '');
  if (name.length < 2) return null;
  return { start: at, piece: { kind: 'mention', text: `@${name}`, handle: name.toLowerCase() } };
}

function mailAt(text: string, at: number, from: number): Found | null {
  let start = at;
  while (start > from && at - start < MAX_MAIL_NAME && MAIL_PART.test(text.charAt(start - 1))) start--;
  while (start < at && /[.+_-]/.test(text.charAt(start))) start++;
  if (start === at) return null;
  MAIL_HOST.lastIndex = at + 1;
  const host = MAIL_HOST.exec(text)?.[0];
  return host === undefined
    ? null
    : { start, piece: { kind: 'mail', text: text.slice(start, at + 1) + host } };
}
