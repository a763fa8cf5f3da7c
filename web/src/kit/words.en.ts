import { counting, numbering } from '../i18n/plural.ts';

const count = counting('en');
const number = numbering('en');

export const common = {
  close: 'Close',
  cancel: 'Cancel',
  tryAgain: 'Try again',
  tryNow: 'Try now',
  back: 'Back',
  search: 'Search',
  searching: 'Searching…',
  searchFailed: 'The search did not work.',
  loading: 'Loading…',
  partFailed: 'This part of Natter could not be loaded.',
  copyLink: 'Copy link',
  linkCopied: 'Link copied',
  copyByHand: 'Copy this link by hand:',
  time: {
    today: 'Today',
    yesterday: 'Yesterday',
    offline: 'Offline',
    seenJustNow: 'Last seen just now',
    seenMinutesAgo: (n: number) => `Last seen ${n} min ago`,
    seenHoursAgo: (n: number) => `Last seen ${n} h ago`,
    seenOn: (day: string) => `Last seen ${day}`,
  },
  people: {
    you: 'you',
    erased: 'somebody who is gone',
    notesToYourself: 'Notes to yourself',
    others: (n: number) => count(n, { one: 'other', other: 'others' }),
    presence: { online: 'Online', away: 'Away', busy: 'Busy', offline: 'Offline' },
  },
  /** What can be wrong with a text before it is sent. */
  faults: {
    empty: 'A message needs some text.',
    tooLong: (most: number, length: number) =>
      `A message has at most ${number(most)} characters; this one has ${number(length)}.`,
    controlCharacter: 'There is an invisible control character in this text. It has to go first.',
    full: (most: number) =>
      `${most} messages and changes are waiting already. They have to leave before you can add more.`,
  },
  password: {
    short: 'A password has at least 8 characters.',
    long: 'That is longer than a password can be.',
  },
  /** Why something did not work, by its code. */
  refusals: {
    blocked: 'One of you has blocked the other.',
    not_member: 'You are not in this room.',
    archived: 'This room is archived.',
    forbidden: 'You may not do that here.',
    /** Of leaving. */
    forbidden_leave: 'You are its last owner. Make somebody else an owner first.',
    not_found: 'It is not there any more.',
    unknown_user: 'Nobody has this name.',
    unauthenticated: 'Please log in again.',
    unknown_type: 'The server does not know how to do this.',
    invalid: 'The server can’t take it like this.',
    too_large: 'It is too long.',
    conflict: 'Something else was sent in its place.',
    full: 'There is no room for more.',
    rate_limited: 'That was too much at once. Wait a moment.',
    unavailable: 'Natter is busy right now.',
    internal: 'Something went wrong at the other end.',
    unreachable: 'Natter can’t be reached right now.',
    malformed: 'The server’s answer could not be understood.',
    other_log: 'The message that was meant can’t be found any more.',
    unknown: 'The server refused it.',
  },
};
