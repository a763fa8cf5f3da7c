import { counting } from '../../i18n/plural.ts';
import type { directory as Words } from './words.en.ts';

const count = counting('de');

export const directory: typeof Words = {
  title: 'Räume',
  intro:
    'Ein Raum ist ein Ort für ein Thema oder ein Team. Die öffentlichen finden alle hier und können beitreten.',
  nameOrTopic: 'Name oder Thema',
  archivedOnes: 'Archivierte Räume',
  newRoom: 'Neuer Raum',
  members: (n) => count(n, { one: 'Mitglied', other: 'Mitglieder' }),
  archived: 'Archiviert',
  youAreIn: 'Du bist dabei',
  join: 'Beitreten',
  joining: 'Trittst bei…',
  open: 'Öffnen',
  deedOn: (deed, name) => `${name}: ${deed}`,
  more: 'Weitere Räume',
  found: (n, more) =>
    more
      ? `Die ersten ${count(n, { one: 'Raum', other: 'Räume' })}`
      : count(n, { one: 'Raum', other: 'Räume' }),
  none: 'Es gibt noch keine öffentlichen Räume.',
  noneMeans: 'Leg den ersten an: Gib ihm einen Namen, sag, worum es geht, und andere finden ihn hier.',
  noneArchived: 'Kein öffentlicher Raum ist archiviert.',
  noneCalled: (words) => `Kein öffentlicher Raum heißt „${words}“.`,
};
