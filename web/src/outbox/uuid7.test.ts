import { describe, expect, it } from 'vitest';
import { timeOfUuid7, Uuid7 } from './uuid7.ts';

const ones = (bytes: Uint8Array) => bytes.fill(0xff);

describe('uuid7', () => {
  it('has_the_version_the_variant_and_the_time', () => {
    const id = new Uuid7(ones).make(0x0191_2345_6789);
    expect(id).toMatch(/^01912345-6789-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('tells_when_it_was_made_and_other_ids_do_not', () => {
    expect(timeOfUuid7(new Uuid7(ones).make(0x0191_2345_6789))).toBe(0x0191_2345_6789);
    expect(timeOfUuid7('6ba7b810-9dad-51d1-80b4-00c04fd430c8')).toBeNull();
    expect(timeOfUuid7('room-1')).toBeNull();
  });

  it('ascends_within_a_millisecond', () => {
    const maker = new Uuid7((bytes) => crypto.getRandomValues(bytes));
    const ids = Array.from({ length: 1_000 }, () => maker.make(1_700_000_000_000));
    expect(new Set(ids).size).toBe(1_000);
    expect(ids.toSorted()).toEqual(ids);
  });

  it('follows_the_servers_clock_also_backwards', () => {
    const maker = new Uuid7(ones);
    maker.make(2_000);
    expect(maker.make(1_000).startsWith('00000000-03e8-7')).toBe(true);
  });
});
