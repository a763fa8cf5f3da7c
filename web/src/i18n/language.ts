/** Which languages there are, and which one a person reads. */

/** Each by its own name. */
export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;

export type Language = keyof typeof LANGUAGES;

const FALLBACK: Language = 'en';
const RIGHT_TO_LEFT = new Set(['ar', 'fa', 'he', 'ur']);

export function isLanguage(value: unknown): value is Language {
  return typeof value === 'string' && Object.hasOwn(LANGUAGES, value);
}

/** The chosen one, or else the first of those that the browser asks for which is there. */
export function languageFor(chosen: Language | null, preferred: readonly string[]): Language {
  return chosen ?? preferred.map(primary).find(isLanguage) ?? FALLBACK;
}

/** How dates and numbers are written: as the browser is set, where that is the same language. */
export function localeFor(language: Language, preferred: readonly string[]): string {
  return preferred.find((locale) => primary(locale) === language) ?? language;
}

export function directionOf(language: string): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.has(primary(language)) ? 'rtl' : 'ltr';
}

function primary(locale: string): string {
  return locale.split('-', 1)[0]?.toLowerCase() ?? '';
}
