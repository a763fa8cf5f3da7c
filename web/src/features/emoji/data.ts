/** All emoji with their names in one language, read when they are wanted for the first time. */
import type { Language } from '../../i18n/language.ts';
import { oneEmoji } from '../message/emoji.ts';

/** emoji, what it is called, more words (by spaces), shortcodes (by spaces), and 1 where it has skin tones. */
export type EmojiTuple = [emoji: string, label: string, tags: string, codes: string, skins?: 1];
export type EmojiData = { key: string; name: string; emoji: EmojiTuple[] }[];

export interface Emoji {
  /** Without a skin tone. */
  emoji: string;
  label: string;
  tags: readonly string[];
  codes: readonly string[];
  skins: boolean;
}

export interface EmojiGroup {
  key: string;
  name: string;
  emoji: readonly Emoji[];
}

export interface EmojiBook {
  groups: readonly EmojiGroup[];
  all: readonly Emoji[];
  byCode: ReadonlyMap<string, Emoji>;
  byEmoji: ReadonlyMap<string, Emoji>;
}

const SOURCES: Record<Language, () => Promise<{ default: EmojiData }>> = {
  en: () => import('virtual:emoji/en'),
  de: () => import('virtual:emoji/de'),
};

const books = new Map<Language, Promise<EmojiBook>>();
const ready = new Map<Language, EmojiBook>();

/** One promise per language; one that failed is asked for again. */
export function emojiBook(language: Language): Promise<EmojiBook> {
  const known = books.get(language);
  if (known !== undefined) return known;
  const book = SOURCES[language]().then(({ default: data }) => {
    const made = bookOf(data);
    ready.set(language, made);
    return made;
  });
  book.catch(() => books.delete(language));
  books.set(language, book);
  return book;
}

/** The same where it is here already. */
export function readyBook(language: Language): EmojiBook | null {
  return ready.get(language) ?? null;
}

export function bookOf(data: EmojiData): EmojiBook {
  const groups = data.map(({ key, name, emoji }) => ({
    key,
    name,
    // What this browser's Unicode does not have yet it would show as an empty box.
    emoji: emoji.filter(([form]) => oneEmoji(form) !== null).map(emojiOf),
  }));
  const all = groups.flatMap(({ emoji }) => emoji);
  return {
    groups,
    all,
    byCode: new Map(all.flatMap((emoji) => emoji.codes.map((code) => [code, emoji] as const))),
    byEmoji: new Map(all.map((emoji) => [emoji.emoji, emoji])),
  };
}

function emojiOf([emoji, label, tags, codes, skins]: EmojiTuple): Emoji {
  const words = (text: string) => (text === '' ? [] : text.split(' '));
  return { emoji, label, tags: words(tags), codes: words(codes), skins: skins === 1 };
}
