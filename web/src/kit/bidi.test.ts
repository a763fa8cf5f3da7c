import { describe, expect, it } from 'vitest';
import { isolate, oneLine, untwisted, withTwistsSeen } from './bidi.ts';

describe('what others wrote', () => {
  it('turns_nothing_around', () => {
    expect(untwisted('\u202egpj.exe \u2067a\u2069 \u200e\u200f\u061c')).toBe('gpj.exe a ');
    expect(withTwistsSeen('a\u202eb\u061c')).toBe('a[U+202E]b[U+061C]');
    expect(oneLine('Bob\u2028\u202eB')).toBe('Bob B');
  });

  it('stays_as_it_is_where_it_means_no_harm', () => {
    for (const text of ['Grüße, 你好 👋🏽 שלום', '👩‍👩‍👧 e\u0301', 'a\n\tb'])
      expect(untwisted(text)).toBe(text);
  });

  it('keeps_its_direction_to_itself_in_a_sentence', () => {
    for (const plain of ['Ada Lovelace', 'ada-3f5a', 'Bob 2', 'Zoë O’Hara'.replace('’', "'")])
      expect(isolate(plain)).toBe(plain);
    for (const other of ['שלום', 'Bob!', '2 Bobs', 'אBob', '👍', ''])
      expect(isolate(other)).toBe(`\u2068${other}\u2069`);
    // It can't end the isolation that it is put in.
    expect(isolate('Bob\u2069\u202e!')).toBe('\u2068Bob!\u2069');
  });
});
