/** Which lines are in the page: those around what the reader looks at. */
import type { Line } from './timeline.ts';

/** So many lines before the first one in sight are drawn, and so many from it on: more than the tallest screen has. */
export const DRAWN_BEFORE = 80;
export const DRAWN_AFTER = 120;
/** The window moves when the reader has come this far from its middle, so that few lines are drawn at a time. */
export const STEP = 20;
/** From the end of what is here, in lines: more is asked for before the reader gets there. */
const LOAD_WITHIN = 40;

/** Indices into the lines; `to` is the first that is not drawn. */
export interface Drawn {
  from: number;
  to: number;
}

/** Around the line of this key; at the end where that is null, or gone. The line that is `kept` is never left out. */
export function drawnOf(lines: readonly Line[], middle: string | null, kept: number | null = null): Drawn {
  const found = middle === null ? -1 : lines.findIndex(({ key }) => key === middle);
  const drawn =
    found === -1
      ? { from: Math.max(0, lines.length - DRAWN_AFTER), to: lines.length }
      : { from: Math.max(0, found - DRAWN_BEFORE), to: Math.min(lines.length, found + DRAWN_AFTER) };
  if (kept === null) return drawn;
  const at = indexOfSeq(lines, kept);
  return at === -1 ? drawn : { from: Math.min(drawn.from, at), to: Math.max(drawn.to, at + 1) };
}

/** Where the middle of the window is to be, when this line is the first in sight. */
export function middleAt(lines: readonly Line[], middle: string | null, first: number): string | null {
  const held = middle === null ? -1 : lines.findIndex(({ key }) => key === middle);
  if (held !== -1 && Math.abs(first - held) < STEP) return middle;
  return lines[first]?.key ?? middle;
}

/** In which direction more is to be asked for, with these lines in sight. */
export function wanting(
  lines: readonly Line[],
  sight: { first: number; last: number },
  more: { older: boolean; newer: boolean },
): 'older' | 'newer' | null {
  if (more.older && sight.first < LOAD_WITHIN) return 'older';
  return more.newer && sight.last >= lines.length - LOAD_WITHIN ? 'newer' : null;
}

/**
 * Up to which message is read with these lines in sight: the last of them, where nothing unread was skipped on the way.
 * `begins` tells whether all before the first line is known to be read.
 */
export function readUpTo(
  lines: readonly Line[],
  sight: { first: number; last: number },
  read: number,
  begins: boolean,
): number {
  const before = lines.slice(0, sight.first).findLast((line) => line.kind === 'message');
  const known = before?.kind === 'message' ? before.message.seq <= read : begins;
  if (!known) return read;
  const last = lines.slice(sight.first, sight.last + 1).findLast((line) => line.kind === 'message');
  return last?.kind === 'message' ? Math.max(read, last.message.seq) : read;
}

export function seqOf(line: Line | undefined): number | null {
  return line?.kind === 'message' ? line.message.seq : null;
}

export function indexOfSeq(lines: readonly Line[], seq: number): number {
  return lines.findIndex((line) => seqOf(line) === seq);
}

/** The next line that the keyboard stops at, or this one where there is none. */
export function stepFrom(lines: readonly Line[], from: number, by: 1 | -1): number {
  for (let at = from + by; at >= 0 && at < lines.length; at += by) {
    const kind = lines[at]?.kind;
    if (kind === 'message' || kind === 'waiting') return at;
  }
  return from;
}
