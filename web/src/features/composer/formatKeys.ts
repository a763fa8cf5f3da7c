import { arePressed, isMac, type Keys, type Pressed } from '../../app/keys/keys.ts';
import type { Format } from './formatting.ts';

/** The keys of the formats that have some. */
export const FORMAT_KEYS = {
  bold: { mod: true, key: 'b' },
  italic: { mod: true, key: 'i' },
  code: { mod: true, key: 'e' },
  strike: { mod: true, shift: true, key: 'x' },
} as const satisfies { [F in Format]?: Keys };

export type FormatWithKeys = keyof typeof FORMAT_KEYS;
export const FORMATS_WITH_KEYS = Object.keys(FORMAT_KEYS) as readonly FormatWithKeys[];

/** What the keys ask for. */
export function formatOfKeys(event: Pressed): Format | null {
  return FORMATS_WITH_KEYS.find((format) => arePressed(FORMAT_KEYS[format], event, isMac())) ?? null;
}
