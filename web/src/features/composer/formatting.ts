/** Puts the signs of a format around what is selected, or takes them away again. */
import type { Edit } from './edit.ts';

export type Format = 'bold' | 'italic' | 'strike' | 'code' | 'spoiler' | 'link' | 'list' | 'quote';

const SIGNS = { bold: '**', italic: '_', strike: '~~', code: '`', spoiler: '||' } as const;
const PREFIXES = { list: '- ', quote: '> ' } as const;
const FENCE = '```';
const ADDRESS = 'https://';

export function formatted(text: string, from: number, to: number, format: Format): Edit {
  switch (format) {
    case 'link':
      return linked(text, from, to);
    case 'list':
    case 'quote':
      return prefixed(text, from, to, PREFIXES[format]);
    case 'code':
      return text.slice(from, to).includes('\n')
        ? fenced(text, from, to)
        : signed(text, from, to, SIGNS.code);
    default:
      return signed(text, from, to, SIGNS[format]);
  }
}

function signed(text: string, start: number, end: number, sign: string): Edit {
  const { from, to } = trimmed(text, start, end);
  const inner = text.slice(from, to);
  const { length } = sign;
  if (text.slice(from - length, from) === sign && text.slice(to, to + length) === sign) {
    return { from: from - length, to: to + length, text: inner, select: [from - length, to - length] };
  }
  if (inner.length >= 2 * length && inner.startsWith(sign) && inner.endsWith(sign)) {
    return { from, to, text: inner.slice(length, -length), select: [from, to - 2 * length] };
  }
  return { from, to, text: sign + inner + sign, select: [from + length, to + length] };
}

/** `** word**` is not bold: what is blank at the ends stays outside. */
function trimmed(text: string, start: number, end: number): { from: number; to: number } {
  const inner = text.slice(start, end);
  if (inner.trim() === '') return { from: start, to: end };
  return {
    from: start + (inner.length - inner.trimStart().length),
    to: end - (inner.length - inner.trimEnd().length),
  };
}

function fenced(text: string, from: number, to: number): Edit {
  const before = from === 0 || text[from - 1] === '\n' ? '' : '\n';
  const inner = text.slice(from, to).replace(/^\n+|\n+$/g, '');
  const start = from + before.length + FENCE.length + 1;
  return {
    from,
    to,
    text: `${before}${FENCE}\n${inner}\n${FENCE}`,
    select: [start, start + inner.length],
  };
}

/** The address is selected next: it is what is missing. */
function linked(text: string, from: number, to: number): Edit {
  const inner = text.slice(from, to);
  if (/^https?:\/\/\S+$/.test(inner)) return { from, to, text: `[](${inner})`, select: [from + 1, from + 1] };
  const start = from + inner.length + 3;
  return { from, to, text: `[${inner}](${ADDRESS})`, select: [start, start + ADDRESS.length] };
}

/** In front of every line that the selection touches. */
function prefixed(text: string, start: number, end: number, prefix: string): Edit {
  const from = text.lastIndexOf('\n', start - 1) + 1;
  const next = text.indexOf('\n', end);
  const to = next === -1 ? text.length : next;
  const lines = text.slice(from, to).split('\n');
  const all = lines.every((line) => line.startsWith(prefix));
  const changed = lines.map((line) => (all ? line.slice(prefix.length) : prefix + line)).join('\n');
  return { from, to, text: changed, select: [from + changed.length, from + changed.length] };
}
