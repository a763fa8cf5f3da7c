import { describe, expect, it } from 'vitest';
import {
  flag,
  isSet,
  Malformed,
  maybe,
  object,
  or,
  orNull,
  type Read,
  text,
  unused,
  whole,
  word,
} from './read.ts';

interface Thing {
  seq: number;
  reply_to?: number | null;
  kind: 'one' | 'other';
  gone?: boolean;
}

const kind = word<Thing['kind']>(['one', 'other'], 'other');

describe('reading an object', () => {
  const thing = object<Thing>()({ seq: whole, reply_to: orNull(whole), kind, gone: isSet });

  it('names_things_as_this_page_does_and_passes_over_what_it_does_not_know', () => {
    const read: { seq: number; replyTo: number | null; kind: string; gone: boolean } = thing(
      { seq: 5, reply_to: 3, kind: 'third', later: [] },
      'thing',
    );
    expect(read).toEqual({ seq: 5, replyTo: 3, kind: 'other', gone: false });
  });

  it('says_which_field_is_wrong', () => {
    expect(() => thing({ seq: -1, kind: 'one' }, 'thing')).toThrow('seq: expected a whole number');
    expect(() => thing([], 'thing')).toThrow(Malformed);
    expect(() => thing({ seq: 1, reply_to: '3', kind: 'one' }, 'thing')).toThrow('reply_to');
  });

  it('leaves_out_what_is_left_out', () => {
    const with_maybe = object<Thing>()({ seq: whole, reply_to: maybe(whole), kind: unused, gone: unused });
    const read: Read<typeof with_maybe> = with_maybe({ seq: 5 }, 'thing');
    expect(Object.keys(read)).toEqual(['seq']);
  });
});

describe('what the compiler refuses', () => {
  it('is_a_shape_that_is_not_that_of_the_wire', () => {
    const of = object<Thing>();
    const rest = { seq: whole, kind, gone: isSet };
    const refused = [
      // @ts-expect-error: `reply_to` is on the wire, and nobody says what becomes of it.
      of(rest),
      // @ts-expect-error: it may be left out.
      of({ ...rest, reply_to: whole }),
      // @ts-expect-error: it is a number.
      of({ ...rest, reply_to: orNull(text) }),
      // @ts-expect-error: there is no such field.
      of({ ...rest, reply_to: orNull(whole), later: flag }),
      // @ts-expect-error: the wire has another word.
      of({ ...rest, reply_to: or(whole, 0), kind: word<'one'>(['one'], 'one') }),
    ];
    expect(refused).toHaveLength(5);
  });
});
