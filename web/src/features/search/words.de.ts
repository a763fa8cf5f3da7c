import type { search as Words } from './words.en.ts';

export const search: typeof Words = {
  title: 'Suche',
  words: 'Nach Wörtern suchen',
  everywhere: 'Überall suchen',
  narrow: 'Wer und wann',
  from: 'Von',
  before: 'Vor dem',
  found: 'Gefundene Nachrichten',
  hint: 'Findet Nachrichten mit Wörtern, die so anfangen, wie du schreibst.',
  nothingYet: 'Hier wurde noch nichts gesagt, also gibt es nichts zu finden.',
  none: (words) => `Nichts gefunden für „${words}“.`,
  noneSoFar: 'Bis hierher nichts gefunden. Es gibt noch ältere Nachrichten.',
  further: 'Weiter zurück suchen',
  elsewhere: 'Eine andere Unterhaltung',
  faults: {
    too_many_words: 'Das sind mehr als zehn Wörter. Mit weniger findest du mehr.',
    no_handle: 'Schreib bei „Von“ einen Benutzernamen, zum Beispiel @ada.',
  },
};
