import { describe, expect, it } from 'vitest';
import { de } from './de.ts';
import { en } from './en.ts';
import { directionOf, isLanguage, languageFor, localeFor } from './language.ts';
import { counting } from './plural.ts';

describe('the language', () => {
  it('is_the_chosen_one_or_the_first_that_the_browser_asks_for', () => {
    expect(languageFor('de', ['en-GB'])).toBe('de');
    expect(languageFor(null, ['fr-CH', 'de-CH', 'en'])).toBe('de');
    expect(languageFor(null, ['fr', 'xx'])).toBe('en');
    expect(languageFor(null, [])).toBe('en');
  });

  it('writes_dates_as_the_browser_is_set_where_that_is_the_same_language', () => {
    expect(localeFor('en', ['de-CH', 'en-GB'])).toBe('en-GB');
    expect(localeFor('de', ['en-GB'])).toBe('de');
  });

  it('is_one_that_is_there', () => {
    for (const bad of ['toString', 'fr', '', null, 1]) expect(isLanguage(bad)).toBe(false);
  });

  it('runs_from_the_right_where_it_does', () => {
    expect(directionOf('he-IL')).toBe('rtl');
    expect(directionOf('de')).toBe('ltr');
  });

  it('counts_with_its_own_forms', () => {
    expect(counting('en')(1, { one: 'reply', other: 'replies' })).toBe('1 reply');
    expect(counting('de')(1234, { one: 'Antwort', other: 'Antworten' })).toBe('1.234 Antworten');
  });
});

/** Every text that is no function, by where it stands. */
function texts(of: object, path = ''): [string, string][] {
  return Object.entries(of).flatMap(([name, value]): [string, string][] =>
    typeof value === 'string'
      ? [[`${path}${name}`, value]]
      : typeof value === 'object' && value !== null
        ? texts(value, `${path}${name}.`)
        : [],
  );
}

describe('the catalogues', () => {
  it('say_something_everywhere', () => {
    for (const [path, text] of [...texts(en), ...texts(de)]) expect(text.trim(), path).not.toBe('');
  });

  it('say_one_and_many', () => {
    const { charactersLeft, charactersTooMany, suggestions } = en.composer;
    expect([0, 1, 2].map(charactersLeft)).toEqual([
      '0 characters left',
      '1 character left',
      '2 characters left',
    ]);
    expect([1, 1234].map(charactersTooMany)).toEqual(['1 character too many', '1,234 characters too many']);
    expect([1, 2].map(suggestions)).toEqual(['1 suggestion', '2 suggestions']);
    expect([1, 1234].map(en.emoji.found)).toEqual(['1 emoji found', '1,234 emoji found']);
    expect([1, 2].map(en.auth.logOutAndLose)).toEqual(['Log out and lose it', 'Log out and lose them']);
    expect([1, 1234].map(de.composer.charactersLeft)).toEqual(['Noch 1 Zeichen', 'Noch 1.234 Zeichen']);
    expect([1, 1234].map(de.composer.charactersTooMany)).toEqual([
      '1 Zeichen zu viel',
      '1.234 Zeichen zu viel',
    ]);
    expect([1, 2].map(de.composer.suggestions)).toEqual(['1 Vorschlag', '2 Vorschläge']);
    expect(de.message.code.all(1234)).toBe('Alle 1.234 Zeilen zeigen');
  });

  it('are_translated', () => {
    const english = new Map(texts(en));
    const same = texts(de).filter(([path, text]) => english.get(path) === text && /[a-z]{3}.* /i.test(text));
    expect(same).toEqual([]);
  });
});
