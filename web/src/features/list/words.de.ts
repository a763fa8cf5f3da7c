import { counting } from '../../i18n/plural.ts';
import type { list as Words } from './words.en.ts';

const count = counting('de');

export const list: typeof Words = {
  loading: 'Unterhaltungen werden geladen…',
  none: 'Noch keine Unterhaltungen.',
  noneMeans: 'Hier stehen die Leute, mit denen du redest, und deine Räume, das Neueste oben.',
  findSomeone: 'Jemanden finden',
  more: 'Weitere Unterhaltungen',
  notSent: 'Nicht gesendet:',
  draft: 'Entwurf:',
  waiting: 'Wartet:',
  you: 'Du:',
  blocked: '(blockiert)',
  deleted: 'Nachricht gelöscht',
  mentions: (n) => (n === 1 ? 'Erwähnung von dir' : 'Erwähnungen von dir'),
  unread: 'ungelesen',
  muted: 'stumm',
  filter: 'Unterhaltungen, Leute und Räume suchen',
  results: (n) => count(n, { one: 'Treffer', other: 'Treffer' }),
  nothingFound: (words) => `Nichts heißt „${words}“.`,
  morePeople: 'Weitere Leute',
  moreRooms: 'Räume zum Beitreten',
  sections: { starred: 'Mit Stern', rooms: 'Räume', people: 'Leute', hidden: 'Versteckt' },
  options: 'Optionen dieser Unterhaltung',
  optionsOf: (title) => `Optionen von ${title}`,
  star: 'Stern geben',
  unstar: 'Stern entfernen',
  mute: 'Stumm schalten',
  unmute: 'Nicht mehr stumm',
  hide: 'Verstecken, bis es Neues gibt',
  unhide: 'Wieder zeigen',
  markRead: 'Als gelesen markieren',
  notifyAbout: 'Benachrichtigen bei',
  notify: { all: 'allem', mentions: 'Erwähnungen von mir', nothing: 'nichts' },
};
