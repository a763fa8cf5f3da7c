import { counting } from '../../i18n/plural.ts';
import type { composer as Words } from './words.en.ts';

const count = counting('de');

export const composer: typeof Words = {
  writeTo: (title) => `An ${title} schreiben`,
  reply: 'Antwort',
  replyInThread: 'Im Thread antworten',
  message: 'Nachricht',
  placeholder: (title) => `Nachricht an ${title}`,
  send: 'Senden',
  emoji: 'Emoji',
  formatting: 'Auszeichnen',
  formats: {
    bold: 'Fett',
    italic: 'Kursiv',
    strike: 'Durchgestrichen',
    code: 'Code',
    link: 'Link',
    list: 'Liste',
    quote: 'Zitat',
    spoiler: 'Spoiler',
  },
  replyingTo: (name) => `Antwort an ${name}:`,
  yourself: 'dich selbst',
  replyGone: 'Nachricht gelöscht',
  noReply: 'Doch nicht darauf antworten',
  suggested: 'Vorschläge',
  suggestions: (n) => count(n, { one: 'Vorschlag', other: 'Vorschläge' }),
  everybody: 'Alle in diesem Raum',
  charactersLeft: (n) => `Noch ${count(n, { other: 'Zeichen' })}`,
  charactersTooMany: (n) => count(n, { other: 'Zeichen zu viel' }),
};
