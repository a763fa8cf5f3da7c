import { counting } from '../../i18n/plural.ts';
import type { auth as Words } from './words.en.ts';

const count = counting('de');

export const auth: typeof Words = {
  whatItIs: 'Chat für dein Team, dein Produkt oder deine Gemeinschaft.',
  pickHandle: 'Such dir ein Kürzel aus und leg los.',
  logIn: 'Anmelden',
  createAccount: 'Konto anlegen',
  handle: 'Kürzel',
  handleHint: 'a–z, 0–9, - und _. Daran finden dich andere.',
  displayName: 'Anzeigename',
  optional: 'freiwillig',
  password: 'Passwort',
  newHere: 'Neu hier?',
  beenHere: 'Schon einmal hier gewesen?',
  createAnAccount: 'Konto anlegen',
  logInInstead: 'Lieber anmelden',
  enterHandle: 'Gib dein Kürzel ein.',
  badHandle:
    'Ein Kürzel hat 2 bis 32 Zeichen aus a–z, 0–9, - und _ und beginnt mit einem Buchstaben oder einer Ziffer.',
  enterPassword: 'Gib dein Passwort ein.',
  broken: 'Auf dieser Seite ist etwas schiefgegangen. Lade sie neu und versuche es noch einmal.',
  tooManyAttempts: (seconds) =>
    `Zu viele Versuche. Versuche es in ${count(seconds, { one: 'Sekunde', other: 'Sekunden' })} noch einmal.`,
  noMatch: 'Kürzel und Passwort passen nicht zusammen.',
  handleTaken: 'Dieses Kürzel ist vergeben. Nimm ein anderes.',
  suspended: 'Dieses Konto ist gesperrt.',
  badName: 'Das kann kein Anzeigename sein. Nimm einen anderen.',
  loggedOut: {
    ended: 'Bitte melde dich neu an.',
    revoked: 'Du wurdest abgemeldet.',
    otherUser: (handle) => `@${handle} hat sich hier in einem anderen Tab angemeldet.`,
  },
  logOutTitle: 'Abmelden?',
  messagesStay: 'Deine Nachrichten bleiben auf dem Server.',
  willBeLost: (what, n) =>
    `${what} ${n === 1 ? 'ist' : 'sind'} noch nicht gesendet und ${n === 1 ? 'geht' : 'gehen'} verloren.`,
  stillLoggedIn: 'Natter ist nicht erreichbar, du bist also noch angemeldet. Versuche es noch einmal.',
  stay: 'Bleiben',
  logOut: 'Abmelden',
  logOutAndLose: () => 'Abmelden und sie verlieren',
};
