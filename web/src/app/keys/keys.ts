/** Keys as they are pressed on any keyboard, and as they are called on this one. */

export interface Keys {
  /** A small letter, a sign, or a key by its name. */
  key: string;
  /** Ctrl, or Command on a Mac. */
  mod?: true;
  alt?: true;
  shift?: true;
}

export type Pressed = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>;

export function arePressed(keys: Keys, pressed: Pressed, mac: boolean): boolean {
  const [mod, other] = mac ? [pressed.metaKey, pressed.ctrlKey] : [pressed.ctrlKey, pressed.metaKey];
  if (mod !== (keys.mod ?? false) || other || pressed.altKey !== (keys.alt ?? false)) return false;
  // Where a sign is on a keyboard, and whether it takes Shift, is the keyboard's affair.
  const sign = keys.key.length === 1 && !isLetter(keys.key);
  return (sign || pressed.shiftKey === (keys.shift ?? false)) && keyOf(pressed) === keys.key;
}

/** A letter or a sign by itself: what one also types (WCAG 2.1.4). */
export function isSingle({ key, mod, alt }: Keys): boolean {
  return key.length === 1 && mod === undefined && alt === undefined;
}

/** Whether what has the focus takes what is typed. */
export function takesText(target: EventTarget | null): boolean {
  return (
    target instanceof Element && target.closest('input, textarea, select, [contenteditable="true"]') !== null
  );
}

/** What of an element tells which keys it needs. */
export interface Field {
  type?: string;
  value?: string;
  list?: object | null;
}

/** Whether these keys do something in there: Alt with an arrow opens what a field has to choose from, and walks through a text on a Mac. */
export function isOfField(
  { key, alt }: Keys,
  { type = '', value = '', list = null }: Field,
  mac: boolean,
): boolean {
  if (alt === undefined || !key.startsWith('Arrow')) return false;
  return list !== null || CHOOSING.has(type) || (mac && value !== '' && WRITING.has(type));
}

const CHOOSING = new Set(['select-one', 'date', 'time']);
const WRITING = new Set(['textarea', 'text', 'search', 'password']);

export function isMac({ platform }: Pick<Navigator, 'platform'> = navigator): boolean {
  return /^(?:Mac|iPhone|iPad)/.test(platform);
}

const NAMED = ['Enter', 'Escape', 'Home', 'End', 'Delete'] as const;

type KeyNames = Readonly<Record<'mod' | 'alt' | 'shift' | (typeof NAMED)[number], string>>;

const MAC: Pick<KeyNames, 'mod' | 'alt' | 'shift'> = { mod: '⌘', alt: '⌥', shift: '⇧' };
const ARROWS: Readonly<Record<string, string>> = { ArrowUp: '↑', ArrowDown: '↓' };

/** One after the other, as they stand on the keys. */
export function namesOfKeys({ key, mod, alt, shift }: Keys, words: KeyNames, mac: boolean): string[] {
  const names = mac ? { ...words, ...MAC } : words;
  const named = NAMED.find((one) => one === key);
  const last = named === undefined ? (ARROWS[key] ?? key.toUpperCase()) : names[named];
  return [mod && names.mod, alt && names.alt, shift && names.shift, last].filter(
    (name) => name !== undefined,
  );
}

/** Letters by what is on the key, and where that is none of the Latin alphabet, by where the key is. */
function keyOf({ key, code }: Pressed): string {
  const small = key.toLowerCase();
  if (key.length !== 1 || small.charCodeAt(0) < 128) return key.length === 1 ? small : key;
  return /^Key([A-Z])$/.exec(code)?.[1]?.toLowerCase() ?? small;
}

function isLetter(key: string): boolean {
  return key >= 'a' && key <= 'z';
}
