import { counting } from '../../i18n/plural.ts';

const count = counting('en');

export const emoji = {
  pick: 'Pick an emoji',
  search: 'Search emoji',
  categories: 'Categories',
  recent: 'Recently used',
  results: 'Found',
  none: (words: string) => `No emoji for “${words}”.`,
  found: (n: number) => count(n, { other: 'emoji found' }),
  fetching: 'Fetching the emoji…',
  all: 'All emoji',
  skinTone: 'Skin tone',
  skinTones: {
    none: 'Without',
    light: 'Light',
    mediumLight: 'Medium-light',
    medium: 'Medium',
    mediumDark: 'Medium-dark',
    dark: 'Dark',
  },
};
