import type { threads as Words } from './words.en.ts';

export const threads: typeof Words = {
  title: 'Threads',
  thread: 'Thread',
  root: 'Worum es geht',
  replies: 'Antworten',
  loading: 'Wird geladen…',
  none: 'Noch keine Threads. Wähle bei einer Nachricht „Im Thread antworten“, um einen zu beginnen.',
  more: 'Ältere Threads',
  nothingYet: 'Noch keine Antworten.',
  notSent: 'Nicht gesendet',
  blocked: 'Du hast diese Person blockiert und kannst hier nicht schreiben.',
  rootDeleted: 'Die Nachricht, um die es ging, ist gelöscht. Hier kann nichts mehr gesagt werden.',
};
