import type { emoji as Words } from './words.en.ts';

export const emoji: typeof Words = {
  pick: 'Ein Emoji aussuchen',
  search: 'Emoji suchen',
  categories: 'Gruppen',
  recent: 'Zuletzt benutzt',
  results: 'Gefunden',
  none: (words) => `Kein Emoji zu „${words}“.`,
  found: (n) => (n === 1 ? '1 Emoji gefunden' : `${n} Emoji gefunden`),
  fetching: 'Die Emoji werden geholt…',
  all: 'Alle Emoji',
  skinTone: 'Hautton',
  skinTones: {
    none: 'Ohne',
    light: 'Hell',
    mediumLight: 'Mittelhell',
    medium: 'Mittel',
    mediumDark: 'Mitteldunkel',
    dark: 'Dunkel',
  },
};
