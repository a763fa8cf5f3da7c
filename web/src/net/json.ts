/** Reading JSON of unknown shape: each reader either gives the type it names or says what was wrong. */

export type JsonRecord = Record<string, unknown>;

/** What came over the wire does not have the shape that the protocol gives it. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

export function asRecord(value: unknown): JsonRecord | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonRecord) : null;
}

export function record(value: unknown, what: string): JsonRecord {
  const found = asRecord(value);
  if (found === null) throw new Malformed(`${what}: expected an object`);
  return found;
}

export function text(from: JsonRecord, field: string): string {
  const value = from[field];
  if (typeof value !== 'string') throw new Malformed(`${field}: expected text`);
  return value;
}

export function flag(from: JsonRecord, field: string): boolean {
  const value = from[field];
  if (typeof value !== 'boolean') throw new Malformed(`${field}: expected true or false`);
  return value;
}

export function optionalText(from: JsonRecord, field: string): string | undefined {
  const value = from[field];
  return value === undefined || value === null ? undefined : text(from, field);
}

/** A count, a seq or a duration: a whole number from 0 below 2^53. */
export function whole(from: JsonRecord, field: string): number {
  const value = from[field];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new Malformed(`${field}: expected a whole number`);
  }
  return value;
}

export function optionalWhole(from: JsonRecord, field: string): number | undefined {
  const value = from[field];
  return value === undefined || value === null ? undefined : whole(from, field);
}

export function texts(from: JsonRecord, field: string): string[] {
  const value = from[field];
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw new Malformed(`${field}: expected a list of texts`);
  }
  return value;
}

export function optionalTexts(from: JsonRecord, field: string): string[] | undefined {
  const value = from[field];
  return value === undefined || value === null ? undefined : texts(from, field);
}

export function list<T>(from: JsonRecord, field: string, read: (item: unknown) => T): T[] {
  const value = from[field];
  if (!Array.isArray(value)) throw new Malformed(`${field}: expected a list`);
  return value.map(read);
}
