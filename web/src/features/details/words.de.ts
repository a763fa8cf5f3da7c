import type { details as Words } from './words.en.ts';

export const details: typeof Words = {
  title: 'Einzelheiten',
  since: (day) => `Angelegt am ${day}`,
  noTopic: 'Dieser Raum hat kein Thema.',
  name: 'Name',
  topic: 'Thema',
  topicHint: 'worum es geht, in ein, zwei Zeilen',
  whoFindsIt: 'Wer ihn findet',
  becomesPublic: 'Von da an können alle beitreten und lesen, was von da an gesagt wird.',
  becomesPrivate: 'Von da an sieht ihn nur, wer hinzugefügt wird. Wer schon da ist, bleibt.',
  save: 'Speichern',
  archive: 'Diesen Raum archivieren',
  archiveTitle: (name) => `${name} archivieren?`,
  archiveMeans:
    'Man kann ihn weiter lesen, aber nichts mehr darin sagen und nicht beitreten, bis er wieder geöffnet wird.',
  archiveDeed: 'Archivieren',
  open: 'Diesen Raum wieder öffnen',
  people: 'Wer dabei ist',
};
