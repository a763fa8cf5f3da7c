/**
 * What a message says, as a tree of our own: whatever the library makes of a text, only this is ever drawn. Headings are bold
 * lines, since a message is no chapter of the page; pictures are links, since to show one would tell a stranger's server who
 * reads; HTML and tables stay as they were written.
 */
import type { Token, Tokens } from 'marked';
import { untwisted, withTwistsSeen } from '../../../kit/bidi.ts';
import { Lru } from '../../../kit/lru.ts';
import { piecesOf } from '../../../net/names.ts';
import { lex, type SpoilerToken } from './lexer.ts';
import { destinationOf, seemsElsewhere } from './links.ts';

export type Block =
  | { kind: 'paragraph' | 'heading'; inline: readonly Inline[] }
  | { kind: 'quote'; blocks: readonly Block[] }
  | { kind: 'list'; start: number | null; items: readonly (readonly Block[])[] }
  | { kind: 'code'; language: string; text: string };

export type Inline =
  | { kind: 'text' | 'code'; text: string }
  | { kind: 'strong' | 'em' | 'strike' | 'spoiler'; inline: readonly Inline[] }
  /** `where`: the host, where the text reads like another. */
  | { kind: 'link'; href: string; where: string | null; inline: readonly Inline[] }
  | { kind: 'mention'; text: string; handle: string };

/** The server takes 8,000 scalar values (CMD4), each one or two units. */
const MAX_LENGTH = 16_000;
const MAX_NODES = 4_000;
const MAX_REMEMBERED = 500;
const MAX_LANGUAGE = 20;

const trees = new Lru<string, readonly Block[]>(MAX_REMEMBERED);

/** Never throws: what can't be understood is plain text. */
export function treeOf(text: string): readonly Block[] {
  return trees.get(text, parse);
}

function parse(text: string): readonly Block[] {
  const whole: Block[] = [{ kind: 'paragraph', inline: [{ kind: 'text', text: untwisted(text) }] }];
  if (text.length > MAX_LENGTH) return whole;
  try {
    const blocks = new Builder().blocks(lex(text));
    return blocks.length === 0 ? whole : blocks;
  } catch {
    return whole;
  }
}

class Builder {
  #left = MAX_NODES;

  blocks(tokens: readonly Token[]): Block[] {
    return tokens.flatMap((token) => this.#block(token as Tokens.Generic));
  }

  #block(token: Tokens.Generic): Block[] {
    this.#count();
    switch (token.type) {
      case 'space':
      case 'checkbox':
        return [];
      case 'heading':
        return [{ kind: 'heading', inline: this.inlines(token.tokens ?? []) }];
      case 'blockquote':
        return [{ kind: 'quote', blocks: this.blocks(token.tokens ?? []) }];
      case 'list':
        return [this.#list(token as Tokens.List)];
      case 'code':
        return [codeBlock(token as Tokens.Code)];
      default:
        return [{ kind: 'paragraph', inline: this.inlines(token.tokens ?? [asText(token.raw)]) }];
    }
  }

  #list({ ordered, start, items }: Tokens.List): Block {
    return {
      kind: 'list',
      start: ordered ? Number(start) : null,
      items: items.map(({ task, checked, tokens }) => {
        const blocks = this.blocks(tokens);
        if (!task) return blocks;
        const box: Inline = { kind: 'text', text: checked === true ? '☑ ' : '☐ ' };
        const [first, ...rest] = blocks;
        return first?.kind === 'paragraph'
          ? [{ ...first, inline: [box, ...first.inline] }, ...rest]
          : [{ kind: 'paragraph', inline: [box] }, ...blocks];
      }),
    };
  }

  /** Neighbours that are text become one: the lexer cuts at every sign that could have meant something. */
  inlines(tokens: readonly Token[], inLink = false): Inline[] {
    const inlines: Inline[] = [];
    let text = '';
    const flush = () => {
      if (text !== '') inlines.push(...this.#pieces(text, inLink));
      text = '';
    };
    for (const token of tokens) {
      const inline = this.#inline(token as Tokens.Generic);
      if (typeof inline === 'string') text += inline;
      else {
        flush();
        inlines.push(inline);
      }
    }
    flush();
    return inlines;
  }

  #inline(token: Tokens.Generic): Inline | string {
    switch (token.type) {
      case 'strong':
      case 'em':
      case 'spoiler': {
        this.#count();
        const { type, tokens } = token as Tokens.Strong | Tokens.Em | SpoilerToken;
        return { kind: type, inline: this.inlines(tokens) };
      }
      case 'del':
        this.#count();
        return { kind: 'strike', inline: this.inlines(token.tokens ?? []) };
      case 'codespan':
        this.#count();
        return { kind: 'code', text: withTwistsSeen((token as Tokens.Codespan).text) };
      case 'link':
      case 'image':
        return this.#link(token as Tokens.Link | Tokens.Image);
      case 'text':
      case 'escape':
        return (token as Tokens.Text).text;
      default:
        return token.raw;
    }
  }

  #link({ raw, href, text, tokens }: Tokens.Link | Tokens.Image): Inline | string {
    const to = destinationOf(href);
    if (to === null) return raw;
    const inline = this.inlines(text.trim() === '' ? [asText(href)] : tokens, true);
    return this.#linkTo(to, inline);
  }

  #linkTo({ href, where }: { href: string; where: string }, inline: readonly Inline[]): Inline {
    this.#count();
    return { kind: 'link', href, where: seemsElsewhere(wordsOf(inline), where) ? where : null, inline };
  }

  #pieces(text: string, inLink: boolean): Inline[] {
    const clean = untwisted(text);
    if (inLink) return [{ kind: 'text', text: clean }];
    return piecesOf(clean).map((piece): Inline => {
      this.#count();
      if (piece.kind !== 'mail') return piece;
      const to = destinationOf(`mailto:${piece.text}`);
      const written: Inline = { kind: 'text', text: piece.text };
      return to === null ? written : this.#linkTo(to, [written]);
    });
  }

  #count(): void {
    this.#left--;
    if (this.#left < 0) throw new RangeError('more parts than a message has');
  }
}

/** The words of a part, without what makes them bold or a link. */
export function wordsOf(inlines: readonly Inline[]): string {
  return inlines.map((inline) => ('inline' in inline ? wordsOf(inline.inline) : inline.text)).join('');
}

function codeBlock({ text, lang = '' }: Tokens.Code): Block {
  const [language = ''] = lang.trim().split(/[\s{,]/, 1);
  return {
    kind: 'code',
    language: /^[\w+#.-]*$/.test(language) ? language.slice(0, MAX_LANGUAGE).toLowerCase() : '',
    text: withTwistsSeen(text),
  };
}

function asText(text: string): Tokens.Text {
  return { type: 'text', raw: text, text };
}
