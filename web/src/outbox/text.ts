/** CMD4: what a message text may be, checked here so that a person hears of it before the network does. */
import { MAX_TEXT_CHARS } from '../net/wire/generated.ts';

/** In Unicode scalar values. */
export const MAX_SCALARS = MAX_TEXT_CHARS;

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

/** What is wrong with the text of a message. */
export function textFault(text: string): TextFault | null {
  return fault(text, MAX_SCALARS, [NEWLINE, TAB]);
}

/** The same for the name of a person or a room, which is one line. */
export function lineFault(text: string, maxScalars: number): TextFault | null {
  return fault(text, maxScalars, []);
}

/** The same for the topic of a room. */
export function topicFault(text: string, maxScalars: number): TextFault | null {
  return fault(text, maxScalars, [NEWLINE]);
}

const NEWLINE = 0x0a;
const TAB = 0x09;

function fault(text: string, maxScalars: number, allowed: readonly number[]): TextFault | null {
  if (text.trim() === '') return 'empty';
  if (hasControlCharacter(text, allowed)) return 'control_character';
  return text.length > maxScalars && scalarCount(text) > maxScalars ? 'too_long' : null;
}

function hasControlCharacter(text: string, allowed: readonly number[]): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if ((unit < 0x20 && !allowed.includes(unit)) || (unit >= 0x7f && unit < 0xa0)) return true;
  }
  return false;
}
