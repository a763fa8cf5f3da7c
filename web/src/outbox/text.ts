/** CMD4: what a message text may be, checked here so that a person hears of it before the network does. */
export const MAX_SCALARS = 8_000;

export type TextFault = 'empty' | 'too_long' | 'control_character';

/** Line ends as the protocol has them, and no lone surrogates, which UTF-8 can't carry. */
export function normalised(text: string): string {
  return text.replace(/\r\n?/g, '\n').toWellFormed();
}

export function scalarCount(text: string): number {
  // A string has at most as many scalars as code units: counting is for the long ones.
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

export function textFault(text: string): TextFault | null {
  if (text.trim() === '') return 'empty';
  if (hasControlCharacter(text)) return 'control_character';
  return text.length > MAX_SCALARS && scalarCount(text) > MAX_SCALARS ? 'too_long' : null;
}

function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if ((unit < 0x20 && unit !== 0x0a && unit !== 0x09) || (unit >= 0x7f && unit < 0xa0)) return true;
  }
  return false;
}
