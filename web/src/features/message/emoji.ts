/** What one can react with: any one emoji, and these at once. */
export const QUICK = [
  ['👍', 'thumbsUp'],
  ['❤️', 'heart'],
  ['😂', 'tearsOfJoy'],
  ['😮', 'surprise'],
  ['😢', 'sadness'],
  ['🎉', 'celebration'],
] as const;

/** Longest sequence that is one emoji, with room for the next versions of Unicode. */
const MAX_UNITS = 40;
const RGI_EMOJI = /^\p{RGI_Emoji}$/v;

/** The one emoji that this is, in the form that the server knows it by; null for anything else. */
export function oneEmoji(written: string): string | null {
  const text = written.trim();
  if (text.length > MAX_UNITS) return null;
  // Some keyboards leave out the selector that makes a picture of a sign: ❤ is ❤️.
  return [text, `${text}\u{fe0f}`].find((form) => RGI_EMOJI.test(form)) ?? null;
}
