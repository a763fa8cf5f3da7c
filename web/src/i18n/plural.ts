/** Counted things: every language has forms of its own for how many there are. */
import type { Language } from './language.ts';

type Forms = { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;

/** `count(2, { one: 'reply', other: 'replies' })` → “2 replies”. */
export type Count = (n: number, forms: Forms) => string;

export function counting(language: Language): Count {
  const rules = new Intl.PluralRules(language);
  const number = numbering(language);
  return (n, forms) => `${number(n)} ${forms[rules.select(n)] ?? forms.other}`;
}

/** Numbers as the language writes them, whatever the browser is set to. */
export function numbering(language: Language): (n: number) => string {
  const { format } = new Intl.NumberFormat(language);
  return (n) => format(n);
}
