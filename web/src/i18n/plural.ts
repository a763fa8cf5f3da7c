/** Counted things: every language has forms of its own for how many there are. */
import type { Language } from './language.ts';

type Forms = { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;

/** `count(2, { one: 'reply', other: 'replies' })` → “2 replies”. */
export type Count = (n: number, forms: Forms) => string;

export function counting(language: Language): Count {
  const rules = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language);
  return (n, forms) => `${numbers.format(n)} ${forms[rules.select(n)] ?? forms.other}`;
}
