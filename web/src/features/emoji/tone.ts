/** Skin tones: 0 is none, 1 light to 5 dark. */
export const TONES = [0, 1, 2, 3, 4, 5] as const;

const FIRST_MODIFIER = 0x1f3fb;
const SELECTOR = '\u{fe0f}';
const BASE = /\p{Emoji_Modifier_Base}/u;
const HANDSHAKE = '🤝';

/** The same emoji in a skin tone: everybody in it has that one. */
export function toned(emoji: string, tone: number): string {
  if (tone === 0) return emoji;
  const modifier = String.fromCodePoint(FIRST_MODIFIER + tone - 1);
  const people = emoji.split('\u{200d}').map((part, index) => {
    const [first = ''] = part;
    // Hands that people hold have the tone of the people.
    if (!BASE.test(first) || (first === HANDSHAKE && index > 0)) return part;
    return first + modifier + part.slice(first.length).replace(SELECTOR, '');
  });
  return people.join('\u{200d}');
}
