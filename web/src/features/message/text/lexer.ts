/**
 * The lexer of `marked`, set for chat: what people type in a hurry stays as they typed it, and what is meant to hurt is cut
 * short. Not understood on purpose, so that it stays text: HTML, tables, rules, underlined headings, definitions of
 * references, code by indentation.
 */
import { Lexer, type Token, Tokenizer, type TokenizerExtensionFunction, type Tokens } from 'marked';

/** Quotes and lists within each other, and bold within italics within a link: deeper is text. */
const MAX_BLOCK_DEPTH = 6;
const MAX_INLINE_DEPTH = 8;
/** Characters looked at in vain, and a few for each step. What is left when they are used up stays as it was written. */
const MAX_WORK = 150_000;
const STEP_WORK = 16;

/** Where plain text may end, and something else begin. */
const BEGINNING = /[\\<`*~_[]|!\[|\|\||\b(?:https?:\/\/|www\.)/gi;
const ADDRESS = /^(?:https?:\/\/|www\.)[^\s<>|`"\\]+/i;
const QUOTED = /^(?: {0,3}>[^\n]*(?:\n|$))+/;
const ITEM = /^ {0,3}(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)/;
const INDENTED = /^(?:[ \t]|$)/;
/** What needs no blank line before it. */
const BLOCK = /^ {0,3}(?:>|#{1,6}[ \t]|```|~~~|[-*+][ \t]+\S|1[.)][ \t]+\S)/;
const SPOILER = /^\|\|(?!\s)([\s\S]*?[^\s|])\|\|/;
const EMPHASIS = /^(?:\*+|_+)(?!\s)/;

export interface SpoilerToken {
  type: 'spoiler';
  raw: string;
  tokens: Token[];
}

export function lex(text: string): Token[] {
  const tokenizer = new ChatTokenizer();
  const spoiler: TokenizerExtensionFunction = (src) => tokenizer.spoiler(src);
  const extensions = { renderers: {}, childTokens: {}, inline: [spoiler] };
  return new Lexer({ gfm: true, tokenizer, extensions }).lex(text);
}

class ChatTokenizer extends Tokenizer {
  #work = MAX_WORK;
  #blocks = 0;
  #inlines = 0;

  override html = nothing;
  override tag = nothing;
  override table = nothing;
  override hr = nothing;
  override lheading = nothing;
  override def = nothing;
  override code = nothing;
  override br = nothing;
  override reflink = nothing;

  /** Only the lines that begin with `>`: who answers on the next line does not quote. */
  override blockquote(src: string): Tokens.Blockquote | undefined {
    const raw = QUOTED.exec(src)?.[0];
    if (raw === undefined) return undefined;
    return this.#within(() => {
      const text = raw.replace(/^ {0,3}> ?/gm, '');
      const { state } = this.lexer;
      const { top } = state;
      state.top = true;
      const tokens = this.lexer.blockTokens(text, []);
      state.top = top;
      return { type: 'blockquote', raw, text, tokens };
    });
  }

  /** A line that is neither an item nor indented ends the list. */
  override list(src: string): Tokens.List | undefined {
    if (!ITEM.test(src)) return undefined;
    let end = 0;
    while (end < src.length) {
      const next = src.indexOf('\n', end);
      const line = src.slice(end, next === -1 ? src.length : next);
      if (end > 0 && !ITEM.test(line) && !INDENTED.test(line)) break;
      end = next === -1 ? src.length : next + 1;
    }
    return this.#within(() => super.list(src.slice(0, end)));
  }

  override paragraph(src: string): Tokens.Paragraph {
    let end = 0;
    while (end < src.length) {
      const next = src.indexOf('\n', end);
      const line = src.slice(end, next === -1 ? src.length : next);
      if (end > 0 && (line.trim() === '' || BLOCK.test(line))) break;
      end = next === -1 ? src.length : next + 1;
    }
    const raw = src.slice(0, end);
    const text = raw.replace(/\n$/, '');
    return { type: 'paragraph', raw, text, tokens: this.lexer.inline(text) };
  }

  spoiler(src: string): SpoilerToken | undefined {
    if (!src.startsWith('||')) return undefined;
    return this.#inside(src, () => {
      const [raw, text] = SPOILER.exec(src) ?? [];
      if (raw === undefined || text === undefined) return undefined;
      return { type: 'spoiler', raw, tokens: this.lexer.inlineTokens(text, []) };
    });
  }

  override emStrong(src: string, masked: string, before?: string): Tokens.Em | Tokens.Strong | undefined {
    if (!EMPHASIS.test(src)) return undefined;
    return this.#inside(src, () => super.emStrong(src, masked, before));
  }

  override del(src: string, masked: string, before?: string): Tokens.Del | undefined {
    if (!src.startsWith('~~')) return undefined;
    return this.#inside(src, () => super.del(src, masked, before));
  }

  override link(src: string): Tokens.Link | Tokens.Image | undefined {
    if (!src.startsWith('[') && !src.startsWith('![')) return undefined;
    return this.#inside(src, () => super.link(src));
  }

  override codespan(src: string): Tokens.Codespan | undefined {
    if (!src.startsWith('`')) return undefined;
    return this.#inside(src, () => super.codespan(src));
  }

  override autolink(src: string): Tokens.Link | undefined {
    if (!src.startsWith('<')) return undefined;
    return this.#inside(src, () => super.autolink(src));
  }

  /** A bare address, without the punctuation of the sentence around it. */
  override url(src: string): Tokens.Link | undefined {
    const found = ADDRESS.exec(src)?.[0];
    if (found === undefined || this.#work < 0) return undefined;
    const raw = found.slice(0, endOfAddress(found));
    const href = raw.toLowerCase().startsWith('www.') ? `https://${raw}` : raw;
    return { type: 'link', raw, href, text: raw, autolink: true, tokens: [{ type: 'text', raw, text: raw }] };
  }

  override inlineText(src: string): Tokens.Text {
    this.#work -= STEP_WORK;
    BEGINNING.lastIndex = 1;
    const end = this.#work < 0 ? src.length : (BEGINNING.exec(src)?.index ?? src.length);
    const raw = src.slice(0, end);
    return { type: 'text', raw, text: raw };
  }

  #within<T>(tokens: () => T | undefined): T | undefined {
    if (this.#blocks === MAX_BLOCK_DEPTH || this.#work < 0) return undefined;
    this.#blocks++;
    const found = tokens();
    this.#blocks--;
    return found;
  }

  #inside<T>(src: string, tokens: () => T | undefined): T | undefined {
    if (this.#inlines === MAX_INLINE_DEPTH || this.#work < 0) return undefined;
    this.#inlines++;
    const found = tokens();
    this.#inlines--;
    this.#work -= found === undefined ? src.length : STEP_WORK;
    return found;
  }
}

function nothing(): undefined {
  return undefined;
}

/** Where an address in a sentence ends: before a full stop, and before a bracket that it does not open. */
function endOfAddress(found: string): number {
  let open = 0;
  for (const char of found) open += char === '(' ? 1 : char === ')' ? -1 : 0;
  let end = found.length;
  for (; end > 0; end--) {
    const last = found.charAt(end - 1);
    if (last === ')' && open < 0) open++;
    else if (!/[?!.,:;*_~'\]}]/.test(last)) break;
  }
  return end;
}
