import { counting } from '../../i18n/plural.ts';
import type { emoji as Words } from './words.en.ts';

const count = counting('de');

export const emoji: typeof Words = {
  pick: 'Ein Emoji aussuchen',
  search: 'Emoji suchen',
  categories: 'Gruppen',
  recent: 'Zuletzt benutzt',
  results: 'Gefunden',
  none: (words) => `Kein Emoji zu „${words}“.`,
  found: (n) => count(n, { other: 'Emoji gefunden' }),
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
