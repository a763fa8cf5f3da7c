import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { de } from '../../i18n/de.ts';
import { en } from '../../i18n/en.ts';
import { common } from '../../kit/words.en.ts';
import { afterClose, faultCode, stopOf } from '../../net/codes.ts';
import type { Fault } from '../../net/problem.ts';
import { faultText, refusalText } from './faults.ts';

const PROTOCOL = readFileSync(new URL('../../../../docs/PROTOCOL.md', import.meta.url), 'utf8');
const fault = (code: Fault['code'], message = 'whatever the server calls it'): Fault => ({ code, message });

describe('a text that is too long', () => {
  it('cmd4_is_counted_as_the_language_of_the_page_counts', () => {
    expect(faultText('too_long', 12_345, en.common)).toContain('8,000 characters; this one has 12,345.');
    expect(faultText('too_long', 12_345, de.common)).toContain('8.000 Zeichen; diese hat 12.345.');
  });
});

describe('a refusal', () => {
  it('cmd7_of_a_block_does_not_say_who_blocked_whom', () => {
    expect(refusalText(fault('blocked'), common)).toBe('One of you has blocked the other.');
  });

  it('of_a_room_says_what_is_so', () => {
    expect(refusalText(fault('not_member'), common)).toBe('You are not in this room.');
    expect(refusalText(fault('archived'), common)).toBe('This room is archived.');
  });

  it('cmd4_of_the_last_owner_who_leaves_says_what_to_do', () => {
    expect(refusalText(fault('forbidden'), common, 'leave')).toMatch(/owner/);
    expect(refusalText(fault('forbidden'), common, 'pin')).toBe('You may not do that here.');
  });

  it('with_a_code_of_a_later_version_is_told_in_the_words_of_the_server', () => {
    const code = faultCode('too_purple', 'code');
    expect(refusalText(fault(code, 'it is too purple'), common)).toBe('it is too purple');
    expect(refusalText(fault(code, ''), common)).toBe('The server refused it.');
    expect(refusalText(undefined, common)).toBe('The server refused it.');
  });
});

describe.each([
  ['English', en],
  ['German', de],
])('in %s', (_, words) => {
  const codes = [...PROTOCOL.matchAll(/^\| `([a-z_]+)` \| \d{3} \|/gm)].map(([, code = '']) => code);
  const closes = [...PROTOCOL.matchAll(/^\| (4\d{3}) \|/gm)].map(([, code]) => Number(code));

  it('every_code_of_an_error_that_the_protocol_names_has_words', () => {
    expect(codes.length).toBeGreaterThan(10);
    const texts = codes.map((code) => refusalText(fault(faultCode(code, 'code')), words.common));
    for (const [index, text] of texts.entries()) {
      expect(text, codes[index]).not.toBe('whatever the server calls it');
      expect(text, codes[index]).toMatch(/^\p{Lu}.*\.$/u);
    }
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('every_code_that_ends_a_connection_for_good_has_words', () => {
    expect(closes).toContain(4505);
    const ends = closes.filter((code) => ['stop', 'log_in'].includes(afterClose(code)));
    const texts = ends.map((code) => {
      if (afterClose(code) === 'log_in') return words.auth.loggedOut.revoked;
      expect(stopOf(code), String(code)).not.toBe('other');
      return words.app.banner.stopped[stopOf(code)];
    });
    for (const text of texts) expect(text).toMatch(/^\p{Lu}.*\.$/u);
    expect(new Set(texts).size).toBe(4);
  });
});
