/** A message in plain words, for where there is one line of it: the list, the beginning above an answer, what is read aloud. */
import { Lru } from '../../../kit/lru.ts';
import { type Block, type Inline, treeOf } from './tree.ts';

/** More than any preview shows. */
const MAX_LENGTH = 300;
const MAX_REMEMBERED = 2_000;
/** The same for a letter and a page: how long it is tells something, too. */
const HIDDEN = '▇▇▇';
/** A beginning may end within a spoiler, and must not give it away. */
const OPEN_SPOILER = /\|\|(?=\S)[\s\S]*$/;

/** Half of a sign of two units, at the cut. */
const HALF = /[\ud800-\udbff]$/;

const remembered = new Lru<string, string>(MAX_REMEMBERED);

export function plain(text: string): string {
  return remembered.get(text, (written) => {
    const line = plainWhole(written);
    return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH).replace(HALF, '')}…` : line;
  });
}

/** All of it, for who looks for something in it: what is in spoilers is not found. */
export function plainWhole(text: string): string {
  const words = treeOf(text).map(ofBlock).join(' ').replace(OPEN_SPOILER, HIDDEN);
  return words.replace(/\s+/g, ' ').trim();
}

function ofBlock(block: Block): string {
  switch (block.kind) {
    case 'paragraph':
    case 'heading':
      return ofInlines(block.inline);
    case 'quote':
      return `“${block.blocks.map(ofBlock).join(' ')}”`;
    case 'list': {
      const { start, items } = block;
      const mark = (n: number) => (start === null ? '•' : `${start + n}.`);
      return items.map((item, n) => `${mark(n)} ${item.map(ofBlock).join(' ')}`).join(' ');
    }
    case 'code':
      return block.text;
  }
}

function ofInlines(inlines: readonly Inline[]): string {
  return inlines.map(ofInline).join('');
}

function ofInline(inline: Inline): string {
  if (inline.kind === 'spoiler') return HIDDEN;
  if (!('inline' in inline)) return inline.text;
  const words = ofInlines(inline.inline);
  return inline.kind === 'link' && inline.where !== null ? `${words} (${inline.where})` : words;
}
