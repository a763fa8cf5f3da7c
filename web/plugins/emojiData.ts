/**
 * Emoji by language, cut from `emojibase-data` when the page is built: `import('virtual:emoji/de')` is a chunk of its own with
 * what a picker shows and searches, and nothing else.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Plugin } from 'vite';
import type { EmojiData, EmojiTuple } from '../src/features/emoji/data.ts';
import { toned } from '../src/features/emoji/tone.ts';

const PREFIX = 'virtual:emoji/';
const LANGUAGES = ['en', 'de'];
/** Skin tones and hair by themselves. */
const COMPONENTS = 2;
const TONES = [1, 2, 3, 4, 5] as const;

export function emojiData(): Plugin {
  return {
    name: 'natter:emoji-data',
    resolveId: (id) => (id.startsWith(PREFIX) ? `\0${id}` : undefined),
    load(id) {
      if (!id.startsWith(`\0${PREFIX}`)) return undefined;
      const language = id.slice(PREFIX.length + 1);
      if (!LANGUAGES.includes(language)) throw new Error(`no emoji in the language ${language}`);
      // Text that is parsed as JSON is ready sooner than the same as a program.
      return `export default JSON.parse(${JSON.stringify(JSON.stringify(emojiOf(language)))})`;
    },
  };
}

interface Source {
  label: string;
  hexcode: string;
  emoji: string;
  /** 0 where it is shown as text unless asked otherwise, 1 where it is a picture by itself. */
  type: number;
  order?: number;
  group?: number;
  tags?: string[];
  skins?: { emoji: string; type: number; hexcode: string; tone: number | number[] }[];
}

type Codes = Record<string, string | string[]>;

function emojiOf(language: string): EmojiData {
  const sources = read<Source[]>(`${language}/data.json`);
  const { groups } = read<{ groups: { key: string; message: string; order: number }[] }>(
    `${language}/messages.json`,
  );
  // The names that people know from elsewhere, in every language; GitHub's where it has more.
  const codes = ['iamcal', 'github'].map((set) => read<Codes>(`en/shortcodes/${set}.json`));
  return groups
    .filter(({ order }) => order !== COMPONENTS)
    .map(({ key, message, order }) => ({
      key,
      name: message.charAt(0).toUpperCase() + message.slice(1),
      emoji: sources
        .filter(({ group }) => group === order)
        .sort((a, b) => (a.order ?? 0) - (b.order ?? 0))
        .map((source) => tupleOf(source, codes)),
    }));
}

function tupleOf(source: Source, codes: readonly Codes[]): EmojiTuple {
  const { label, hexcode, tags = [], skins = [] } = source;
  const emoji = formOf(source);
  const names = new Set(codes.flatMap((set) => set[hexcode] ?? []));
  const words = [emoji, label, tags.join(' '), [...names].join(' ')] as const;
  const tones = TONES.map((tone) => {
    const skin = skins.find((one) => one.tone === tone);
    return skin === undefined ? undefined : formOf(skin);
  });
  if (tones.some((form) => form === undefined)) return [...words];
  if (tones.some((form, index) => form !== toned(emoji, index + 1)))
    throw new Error(`the skin tones of ${emoji} follow no rule that is known here`);
  return [...words, 1];
}

/** emojibase also puts the selector behind what is a picture without it; that is not the form that Unicode recommends. */
function formOf({ emoji, type, hexcode }: { emoji: string; type: number; hexcode: string }): string {
  const needless = type === 1 && emoji.endsWith('\u{fe0f}') && !hexcode.endsWith('-FE0F');
  return needless ? emoji.slice(0, -1) : emoji;
}

function read<T>(path: string): T {
  const require = createRequire(import.meta.url);
  return JSON.parse(readFileSync(require.resolve(`emojibase-data/${path}`), 'utf8')) as T;
}
