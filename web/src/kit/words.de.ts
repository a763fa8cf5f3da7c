import { counting, numbering } from '../i18n/plural.ts';
import type { common as Words } from './words.en.ts';

const count = counting('de');
const number = numbering('de');

export const common: typeof Words = {
  close: 'Schließen',
  cancel: 'Abbrechen',
  tryAgain: 'Noch einmal versuchen',
  tryNow: 'Jetzt versuchen',
  back: 'Zurück',
  search: 'Suchen',
  searching: 'Suche läuft…',
  searchFailed: 'Die Suche hat nicht geklappt.',
  loading: 'Wird geladen…',
  partFailed: 'Dieser Teil von Natter konnte nicht geladen werden.',
  copyLink: 'Link kopieren',
  linkCopied: 'Link kopiert',
  copyByHand: 'Kopiere diesen Link von Hand:',
  time: {
    today: 'Heute',
    yesterday: 'Gestern',
    offline: 'Offline',
    seenJustNow: 'Gerade eben noch da',
    seenMinutesAgo: (n) => `Zuletzt da vor ${n} Min.`,
    seenHoursAgo: (n) => `Zuletzt da vor ${n} Std.`,
    seenOn: (day) => `Zuletzt da: ${day}`,
  },
  people: {
    you: 'du',
    erased: 'jemand, der nicht mehr da ist',
    notesToYourself: 'Notizen an dich selbst',
    others: (n) => count(n, { one: 'weitere Person', other: 'weitere' }),
    presence: { online: 'Online', away: 'Abwesend', busy: 'Beschäftigt', offline: 'Offline' },
  },
  faults: {
    empty: 'Eine Nachricht braucht etwas Text.',
    tooLong: (most, length) =>
      `Eine Nachricht hat höchstens ${number(most)} Zeichen; diese hat ${number(length)}.`,
    controlCharacter: 'In diesem Text ist ein unsichtbares Steuerzeichen. Es muss erst heraus.',
    full: (most) =>
      `Es warten schon ${most} Nachrichten und Änderungen. Erst wenn sie weg sind, kannst du weitere hinzufügen.`,
  },
  password: {
    short: 'Ein Passwort hat mindestens 8 Zeichen.',
    long: 'So lang kann ein Passwort nicht sein.',
  },
  refusals: {
    blocked: 'Eine von euch beiden Seiten hat die andere blockiert.',
    not_member: 'Du bist nicht in diesem Raum.',
    archived: 'Dieser Raum ist archiviert.',
    forbidden: 'Das darfst du hier nicht.',
    forbidden_leave: 'Der Raum gehört nur noch dir. Gib ihn erst an jemand anderen weiter.',
    not_found: 'Das gibt es nicht mehr.',
    unknown_user: 'So heißt niemand.',
    unauthenticated: 'Bitte melde dich neu an.',
    unknown_type: 'Der Server weiß nicht, wie das geht.',
    invalid: 'So kann der Server das nicht annehmen.',
    too_large: 'Das ist zu lang.',
    conflict: 'An seiner Stelle wurde schon etwas anderes gesendet.',
    full: 'Mehr passt nicht hinein.',
    rate_limited: 'Das war zu viel auf einmal. Warte einen Moment.',
    unavailable: 'Natter ist gerade überlastet.',
    internal: 'Auf der anderen Seite ging etwas schief.',
    unreachable: 'Natter ist gerade nicht erreichbar.',
    malformed: 'Die Antwort des Servers war nicht zu verstehen.',
    other_log: 'Die Nachricht, die gemeint war, ist nicht mehr zu finden.',
    unknown: 'Der Server hat es abgelehnt.',
  },
};
