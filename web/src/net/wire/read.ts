/**
 * Reading JSON of unknown shape. A reader takes what the wire has (`Wire`, of `generated.ts`) and gives what this page
 * works with (`Mine`), or says what was wrong. `object` holds each shape to the generated type of the same thing: a field
 * that Rust has and a shape does not name is a compile error, and so is the other way round.
 */

export interface Reader<Wire, Mine> {
  (value: unknown, what: string): Mine;
  /** Never there: it makes the compiler compare what is read with what is on the wire. */
  readonly wire?: (wire: Wire) => void;
}

export type Read<R> = R extends Reader<never, infer Mine> ? Mine : never;

/** What came over the wire does not have the shape that the protocol gives it. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

/** It has a word of a later version, and is to be passed over as a whole (FRM2). */
export class OfLaterVersion extends Error {
  override readonly name = 'OfLaterVersion';
}

export type JsonRecord = Record<string, unknown>;

export function asRecord(value: unknown): JsonRecord | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonRecord) : null;
}

export function record(value: unknown, what: string): JsonRecord {
  const found = asRecord(value);
  if (found === null) throw new Malformed(`${what}: expected an object`);
  return found;
}

export const text: Reader<string, string> = (value, what) => {
  if (typeof value !== 'string') throw new Malformed(`${what}: expected text`);
  return value;
};

/** A count, a seq or a duration: a whole number from 0 below 2^53. */
export const whole: Reader<number, number> = (value, what) => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new Malformed(`${what}: expected a whole number`);
  }
  return value;
};

/** A moment or an order, in any unit. */
export const finite: Reader<number, number> = (value, what) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Malformed(`${what}: expected a number`);
  return value;
};

export const flag: Reader<boolean, boolean> = (value, what) => {
  if (typeof value !== 'boolean') throw new Malformed(`${what}: expected true or false`);
  return value;
};

/** A flag that is left out where it is not set. */
export const isSet: Reader<boolean | null | undefined, boolean> = (value) => value === true;

/** One of these words; a word of a later version counts as `otherwise`. */
export function word<const Word extends string>(
  words: readonly Word[],
  otherwise: NoInfer<Word>,
): Reader<Word, Word> {
  return (value, what) => {
    const found = text(value, what);
    return words.find((known) => known === found) ?? otherwise;
  };
}

/** One of these words; what has another one can't be understood without it. */
export function knownWord<const Word extends string>(words: readonly Word[]): Reader<Word, Word> {
  return (value, what) => {
    const found = text(value, what);
    const known = words.find((one) => one === found);
    if (known === undefined) throw new OfLaterVersion(`${what}: ${found}`);
    return known;
  };
}

export function list<Wire, Mine>(item: Reader<Wire, Mine>): Reader<Wire[], Mine[]> {
  return (value, what) => {
    if (!Array.isArray(value)) throw new Malformed(`${what}: expected a list`);
    return value.map((one) => item(one, what));
  };
}

export const texts = list(text);

/** What may be left out, with what stands for it then. */
export function or<Wire, Mine, Otherwise>(
  reader: Reader<Wire, Mine>,
  otherwise: Otherwise,
): Reader<Wire | null | undefined, Mine | Otherwise> {
  return (value, what) => (value === undefined || value === null ? otherwise : reader(value, what));
}

export function orNull<Wire, Mine>(reader: Reader<Wire, Mine>): Reader<Wire | null | undefined, Mine | null> {
  return or(reader, null);
}

export function maybe<Wire, Mine>(
  reader: Reader<Wire, Mine>,
): Reader<Wire | null | undefined, Mine | undefined> {
  return or(reader, undefined);
}

/** Null for what is not of this shape. */
export function attempt<Mine>(reader: Reader<never, Mine>, value: unknown): Mine | null {
  try {
    return reader(value, 'value');
  } catch (error) {
    if (error instanceof Malformed || error instanceof OfLaterVersion) return null;
    throw error;
  }
}

declare const dropped: unique symbol;
type Dropped = { [dropped]: true };

/** Known, and of no use to this page. */
export const unused: Reader<unknown, Dropped> = () => {
  throw new Malformed('nobody reads this');
};

export type Shape<Wire> = { readonly [Field in keyof Wire]-?: Reader<Wire[Field], unknown> };

/** `reply_to` on the wire is `replyTo` here. */
type Camel<Name> = Name extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : Name;

type Kept<S> = {
  [Field in keyof S as Read<S[Field]> extends Dropped ? never : Camel<Field>]: Read<S[Field]>;
};
type Given<T> = { [Field in keyof T as undefined extends T[Field] ? never : Field]: T[Field] };
type Left<T> = { [Field in keyof T as undefined extends T[Field] ? Field : never]?: T[Field] };
type Flat<T> = { [Field in keyof T]: T[Field] };

/** What a shape of readers gives; a field that may be left out and is does not appear. */
export type ReadFields<S> = Flat<Given<Kept<S>> & Left<Kept<S>>>;

/** Fields that are not known are passed over (FRM2). */
export function object<Wire>() {
  return <S extends Shape<Wire>>(
    shape: S & { readonly [Field in Exclude<keyof S, keyof Wire>]: never },
  ): Reader<Wire, ReadFields<S>> => fields<S>(shape);
}

/** The same for what is not of the wire. */
export function fields<S extends object>(shape: S): Reader<unknown, ReadFields<S>> {
  const readers = Object.entries(shape as Record<string, Reader<never, unknown>>).flatMap(
    ([field, reader]) => (reader === unused ? [] : [{ field, reader, name: camel(field) }]),
  );
  return (value, what) => {
    const from = record(value, what);
    const mine: JsonRecord = {};
    for (const { field, reader, name } of readers) {
      const read = reader(from[field], field);
      if (read !== undefined) mine[name] = read;
    }
    return mine as ReadFields<S>;
  };
}

function camel(field: string): string {
  return field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
