import { counting } from '../../i18n/plural.ts';

const count = counting('en');

export const auth = {
  whatItIs: 'Chat for your team, your product or your community.',
  pickHandle: 'Pick a handle and start talking.',
  logIn: 'Log in',
  createAccount: 'Create account',
  handle: 'Handle',
  handleHint: 'a–z, 0–9, - and _. Others find you by it.',
  displayName: 'Display name',
  optional: 'optional',
  password: 'Password',
  newHere: 'New here?',
  beenHere: 'Been here before?',
  createAnAccount: 'Create an account',
  logInInstead: 'Log in instead',
  enterHandle: 'Enter your handle.',
  badHandle: 'A handle is 2 to 32 characters of a–z, 0–9, - and _, and starts with a letter or a digit.',
  enterPassword: 'Enter your password.',
  broken: 'Something went wrong in this page. Reload it and try again.',
  tooManyAttempts: (seconds: number) =>
    `Too many attempts. Try again in ${count(seconds, { one: 'second', other: 'seconds' })}.`,
  noMatch: 'Handle and password don’t match.',
  handleTaken: 'That handle is taken. Pick another one.',
  suspended: 'This account is suspended.',
  badName: 'This can’t be a display name. Pick another one.',
  /** Why somebody sees this page who did not log out. */
  loggedOut: {
    ended: 'Please log in again.',
    revoked: 'You were logged out.',
    otherUser: (handle: string) => `@${handle} logged in here from another tab.`,
  },
  logOutTitle: 'Log out?',
  messagesStay: 'Your messages stay on the server.',
  willBeLost: (what: string, n: number) =>
    `${what} ${n === 1 ? 'has' : 'have'} not been sent and will be lost.`,
  stillLoggedIn: 'Natter can’t be reached, so you are still logged in. Try again.',
  stay: 'Stay',
  logOut: 'Log out',
  logOutAndLose: (n: number) => `Log out and lose ${n === 1 ? 'it' : 'them'}`,
};
