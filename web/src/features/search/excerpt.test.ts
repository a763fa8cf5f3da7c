import { describe, expect, it } from 'vitest';
import { excerpt } from './excerpt.ts';

const shown = (text: string, words: string) =>
  excerpt(text, words)
    .map(({ text, found }) => (found ? `[${text}]` : text))
    .join('');

describe('an excerpt', () => {
  it('marks_words_that_begin_with_what_is_sought', () => {
    expect(shown('The looms of Lyon, and a heirloom', 'loom')).toBe('The [looms] of Lyon, and a heirloom');
    expect(shown('one two three', 'thr on')).toBe('[one] two [three]');
  });

  it('goes_neither_by_case_nor_by_accents', () => {
    expect(shown('René aß in der Straße', 'rene STRASSE')).toBe('[René] aß in der [Straße]');
  });

  it('of_a_long_message_is_around_what_was_found', () => {
    const long = `${'cards '.repeat(200)}and the engine ${'weaves '.repeat(200)}`;
    const text = shown(long, 'engine');
    expect(text).toContain('[engine]');
    expect(text.length).toBeLessThan(300);
    expect(text.startsWith('…cards')).toBe(true);
    expect(text.endsWith('weaves…')).toBe(true);
  });

  it('of_what_the_server_found_by_its_own_rules_is_its_beginning', () => {
    expect(shown('Nothing of the kind', 'engine')).toBe('Nothing of the kind');
    expect(shown('x'.repeat(500), 'y')).toHaveLength(281);
  });
});
