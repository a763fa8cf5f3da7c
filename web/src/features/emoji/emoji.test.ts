import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from 'vitest';
import { oneEmoji, QUICK } from '../message/emoji.ts';
import { type EmojiBook, emojiBook, readyBook } from './data.ts';
import { moved, rowsOf } from './grid.ts';
import { searchEmoji } from './search.ts';
import { isInCode, shortcodeBefore, withEmoji } from './shortcodes.ts';
import { MAX_RECENT, tasteOf, withUsed } from './taste.ts';
import { TONES, toned } from './tone.ts';

let en: EmojiBook;
let de: EmojiBook;
beforeAll(async () => {
  [en, de] = await Promise.all([emojiBook('en'), emojiBook('de')]);
});

describe('the emoji that are offered', () => {
  it('cmd4_are_each_one_that_the_server_takes_in_exactly_this_form', () => {
    const forms = [...en.all, ...de.all].flatMap(({ emoji, skins }) =>
      TONES.filter((tone) => tone === 0 || skins).map((tone) => toned(emoji, tone)),
    );
    expect(forms.length).toBeGreaterThan(6_000);
    expect(forms.filter((form) => oneEmoji(form) !== form)).toEqual([]);
  });

  it('are_all_that_the_data_knows_of_and_this_unicode_has', () => {
    const path = createRequire(import.meta.url).resolve('emojibase-data/en/data.json');
    const sources: { version: number; group?: number }[] = JSON.parse(readFileSync(path, 'utf8'));
    const known = sources.filter(
      ({ version, group }) =>
        group !== undefined && group !== 2 && version <= Number.parseFloat(process.versions.unicode ?? '0'),
    );
    expect(known.length).toBeGreaterThan(1_800);
    expect(en.all.length).toBe(known.length);
    expect(de.all.map(({ emoji }) => emoji)).toEqual(en.all.map(({ emoji }) => emoji));
  });

  it('have_a_name_in_both_languages', () => {
    expect(en.byEmoji.get('🎉')?.label).toBe('party popper');
    expect(de.byEmoji.get('🎉')?.label).toBe('Konfettibombe');
    expect([...en.all, ...de.all].filter(({ label }) => label === '')).toEqual([]);
    for (const [emoji] of QUICK) expect(en.byEmoji.has(emoji), emoji).toBe(true);
  });

  it('are_read_once_and_then_there', () => {
    expect(emojiBook('en')).toBe(emojiBook('en'));
    expect(readyBook('en')).toBe(en);
  });
});

describe('a skin tone', () => {
  it('is_everybodys_in_the_picture', () => {
    expect(toned('👍', 0)).toBe('👍');
    expect(toned('👍', 5)).toBe('👍🏿');
    expect(toned('☝️', 3)).toBe('☝🏽');
    expect(toned('🤝', 1)).toBe('🤝🏻');
    expect(toned('🧑‍🤝‍🧑', 1)).toBe('🧑🏻‍🤝‍🧑🏻');
    expect(en.byEmoji.get('🎉')?.skins).toBe(false);
  });
});

describe('a search', () => {
  const found = (words: string, book = en) => searchEmoji(book, words).map(({ emoji }) => emoji);

  it('finds_the_shortcode_first_then_names_then_other_words', () => {
    expect(found('tada')[0]).toBe('🎉');
    expect(found('heart')[0]).toBe('❤️');
    expect(found('red heart')[0]).toBe('❤️');
    expect(found('celebrat')).toContain('🎉');
    expect(found('+1')[0]).toBe('👍');
  });

  it('asks_for_every_word_and_for_no_accents', () => {
    expect(found('heart qqq')).toEqual([]);
    expect(found('   ')).toEqual([]);
    expect(found('konfettiball', de)).toEqual(['🎊']);
    expect(found('KÜSSE', de)).toEqual(found('kusse', de));
  });

  it('finds_the_emoji_itself', () => {
    expect(found('🎉')).toEqual(['🎉']);
    expect(found(' ❤ ')).toEqual(['❤️']);
  });

  it('is_bounded', () => {
    expect(searchEmoji(en, 'a').length).toBe(80);
    expect(searchEmoji(en, 'a', 8).length).toBe(8);
  });
});

describe('shortcodes in a text', () => {
  it('become_emoji', () => {
    expect(withEmoji('Done :tada::rocket: (:+1:)', en)).toBe('Done 🎉🚀 (👍)');
    expect(shortcodeBefore('Hi :tada: there', 9, en)).toEqual({ start: 3, emoji: '🎉' });
  });

  it('stay_where_nobody_means_one', () => {
    for (const text of [':) :-( :D', 'at 12:30:45', 'std::vec::new', ':no_such_thing:', 'a:tada:'])
      expect(withEmoji(text, en), text).toBe(text);
    expect(shortcodeBefore('12:30:', 6, en)).toBeNull();
    expect(shortcodeBefore(':tada', 5, en)).toBeNull();
  });

  it('stay_inside_of_code', () => {
    for (const text of ['`:tada:`', '``a ` :tada:``', '```\n:tada:\n```', '```\n:tada:'])
      expect(withEmoji(text, en), text).toBe(text);
    expect(withEmoji('`a` :tada: `b`', en)).toBe('`a` 🎉 `b`');
    expect(isInCode('`a :ta', 6)).toBe(true);
    expect(isInCode('```\nfoo\n:ta', 11)).toBe(true);
    expect(isInCode('`a` :ta', 7)).toBe(false);
    expect(shortcodeBefore('`:tada:', 7, en)).toBeNull();
  });
});

describe('the grid', () => {
  // 0 1 2 | 3 4 and, of another group, 5 6 7 | 8
  const rows = rowsOf([5, 4], 3);
  const go = (at: number, key: string, { ctrlKey = false, rightToLeft = false } = {}) =>
    moved(rows, at, { key, ctrlKey }, rightToLeft);

  it('begins_a_row_with_every_group', () => {
    expect(rows.map(({ start, length }) => [start, length])).toEqual([
      [0, 3],
      [3, 2],
      [5, 3],
      [8, 1],
    ]);
  });

  it('is_walked_by_arrows_also_from_group_to_group', () => {
    expect([go(0, 'ArrowRight'), go(4, 'ArrowRight'), go(8, 'ArrowRight')]).toEqual([1, 5, 8]);
    expect([go(1, 'ArrowLeft'), go(0, 'ArrowLeft')]).toEqual([0, 0]);
    expect([go(2, 'ArrowDown'), go(4, 'ArrowDown'), go(7, 'ArrowDown'), go(8, 'ArrowDown')]).toEqual([
      4, 6, 8, 8,
    ]);
    expect([go(8, 'ArrowUp'), go(7, 'ArrowUp')]).toEqual([5, 4]);
  });

  it('is_left_upwards_into_the_search', () => {
    expect(go(1, 'ArrowUp')).toBe('up_and_out');
  });

  it('has_ends', () => {
    expect([
      go(4, 'Home'),
      go(3, 'End'),
      go(4, 'Home', { ctrlKey: true }),
      go(0, 'End', { ctrlKey: true }),
    ]).toEqual([3, 4, 0, 8]);
    expect([go(0, 'PageDown'), go(8, 'PageUp')]).toEqual([8, 0]);
  });

  it('goes_the_other_way_where_one_reads_the_other_way', () => {
    expect([go(0, 'ArrowLeft', { rightToLeft: true }), go(1, 'ArrowRight', { rightToLeft: true })]).toEqual([
      1, 0,
    ]);
  });

  it('leaves_other_keys_alone', () => {
    expect(go(0, 'a')).toBeNull();
    expect(moved([], 0, { key: 'ArrowDown', ctrlKey: false }, false)).toBeNull();
  });
});

describe('what somebody likes', () => {
  it('is_what_was_used_last_each_once_and_not_too_many', () => {
    expect(withUsed(['🎉', '👍'], '👍')).toEqual(['👍', '🎉']);
    const many = en.all.slice(0, 40).map(({ emoji }) => emoji);
    expect(many.reduce(withUsed, [] as readonly string[])).toHaveLength(MAX_RECENT);
  });

  it('is_not_believed_blindly', () => {
    expect(tasteOf(undefined)).toEqual({ recent: [], tone: 0 });
    expect(tasteOf({ recent: ['🎉', 'x', 7, '👍👍'], tone: 9 })).toEqual({ recent: ['🎉'], tone: 0 });
    expect(tasteOf({ recent: 'x', tone: 3 })).toEqual({ recent: [], tone: 3 });
  });
});
