/** The sections of the settings, in their order. */
export const SECTIONS = [
  'profile',
  'password',
  'appearance',
  'language',
  'notifications',
  'privacy',
  'about',
] as const;

export type SectionName = (typeof SECTIONS)[number];

/** The one that an address names; null where it names none that is there. */
export function sectionOf(name: string | null): SectionName | null {
  return SECTIONS.find((known) => known === name) ?? null;
}
