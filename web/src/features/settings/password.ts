/** What can be said of a password before the server sees it. */
import { MAX_PASSWORD_BYTES, MIN_PASSWORD_BYTES } from '../../net/wire/generated.ts';

const FAIR_CHARS = 12;
const STRONG_CHARS = 16;
/** Fewer different characters than this are a pattern. */
const VARIED_CHARS = 6;

export type Strength = 'weak' | 'fair' | 'strong';

export interface Written {
  current: string;
  next: string;
  again: string;
}

export type PasswordFault = {
  [Field in keyof Written]?: 'enterCurrent' | 'short' | 'long' | 'asBefore' | 'notTheSame';
};

/** What is wrong with it, by field; empty where nothing is. */
export function faultsOf({ current, next, again }: Written): PasswordFault {
  const faults: PasswordFault = {};
  if (current === '') faults.current = 'enterCurrent';
  const length = lengthFault(next);
  if (length !== null) faults.next = length;
  else if (next === current) faults.next = 'asBefore';
  else if (next !== again) faults.again = 'notTheSame';
  return faults;
}

/** The server counts bytes. */
export function lengthFault(password: string): 'short' | 'long' | null {
  const bytes = new TextEncoder().encode(password).length;
  if (bytes < MIN_PASSWORD_BYTES) return 'short';
  return bytes > MAX_PASSWORD_BYTES ? 'long' : null;
}

/** A hint, no more; null while it is too short to be one. */
export function strengthOf(password: string, handle: string): Strength | null {
  const chars = [...password.toLowerCase()];
  if (lengthFault(password) === 'short') return null;
  const named = password.toLowerCase().includes(handle);
  if (named || chars.length < FAIR_CHARS || new Set(chars).size < VARIED_CHARS) return 'weak';
  return chars.length < STRONG_CHARS ? 'fair' : 'strong';
}
