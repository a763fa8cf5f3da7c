/** What people read, made from what the protocol carries. */

import type { RoomFacts } from '../net/frames.ts';
import type { Fault } from '../outbox/queue.ts';
import type { Gone, Notice } from '../store/rooms.ts';

export interface Calendar {
  locale: string | undefined;
  timeZone: string | undefined;
}

/** As the browser is set. */
export const hereAndNow: Calendar = { locale: undefined, timeZone: undefined };

const DAY_MS = 86_400_000;

/** One text per calendar day, for comparing. */
export function dayOf(at: string, { timeZone }: Calendar): string {
  if (timeZone === undefined) {
    // The browser's own zone, without a formatter: a long timeline asks this for every line.
    const date = new Date(at);
    const two = (n: number) => String(n).padStart(2, '0');
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  }
  return formatted(at, 'en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
}

/** Today, Yesterday, or the date. */
export function dayName(at: string, now: number, calendar: Calendar): string {
  const day = dayOf(at, calendar);
  if (day === dayOf(new Date(now).toISOString(), calendar)) return 'Today';
  if (day === dayOf(new Date(now - DAY_MS).toISOString(), calendar)) return 'Yesterday';
  const { locale, timeZone } = calendar;
  const thisYear = day.slice(0, 4) === dayOf(new Date(now).toISOString(), calendar).slice(0, 4);
  const date = { weekday: 'long', day: 'numeric', month: 'long', timeZone } as const;
  return formatted(at, locale, thisYear ? date : { ...date, year: 'numeric' });
}

export function clockTime(at: string, { locale, timeZone }: Calendar): string {
  return formatted(at, locale, { hour: '2-digit', minute: '2-digit', timeZone });
}

/** For the list: the time today, the weekday within a week, else the date. */
export function shortTime(at: string, now: number, calendar: Calendar): string {
  const { locale, timeZone } = calendar;
  if (dayOf(at, calendar) === dayOf(new Date(now).toISOString(), calendar)) return clockTime(at, calendar);
  const age = now - Date.parse(at);
  return age < 6 * DAY_MS
    ? formatted(at, locale, { weekday: 'short', timeZone })
    : formatted(at, locale, { day: 'numeric', month: 'short', timeZone });
}

export function lastSeen(at: string, now: number, calendar: Calendar): string {
  const minutes = Math.floor((now - Date.parse(at)) / 60_000);
  if (!Number.isFinite(minutes)) return 'Offline';
  if (minutes < 1) return 'Last seen just now';
  if (minutes < 60) return `Last seen ${minutes} min ago`;
  if (minutes < 24 * 60) return `Last seen ${Math.floor(minutes / 60)} h ago`;
  return `Last seen ${shortTime(at, now, calendar)}`;
}

/** The people of a conversation as its title: the others, or oneself in notes to oneself. */
export function titleOf(others: readonly string[], names: ReadonlyMap<string, string>): string {
  if (others.length === 0) return 'Notes to yourself';
  return others.map((user) => names.get(user) ?? user).join(', ');
}

export function typingText(users: readonly string[], names: ReadonlyMap<string, string>): string {
  const called = users.map((user) => names.get(user) ?? user);
  if (called.length === 0) return '';
  if (called.length === 1) return `${called[0]} is typing…`;
  return called.length === 2 ? `${called.join(' and ')} are typing…` : 'Several people are typing…';
}

/** People in a few words: oneself as “you”, and those whom nobody named as a number. */
export function namesOf(
  users: readonly string[],
  count: number,
  me: string,
  names: ReadonlyMap<string, string>,
): string {
  const called = users.map((user) => (user === me ? 'you' : (names.get(user) ?? user)));
  const unnamed = count - users.length;
  return [...called, ...(unnamed > 0 ? [counted(unnamed, 'other', 'others')] : [])].join(', ');
}

/** Why the server refused something; its own words are for whoever writes programs. */
export function refusalText(fault: Fault | undefined): string {
  switch (fault?.code) {
    case 'blocked':
      return 'One of you has blocked the other.';
    case 'not_member':
      return 'You are not in this room.';
    case 'archived':
      return 'This room is archived.';
    default:
      return fault?.message || 'the server refused it.';
  }
}

export function kindOfRoom({ visibility, archived }: RoomFacts): string {
  const kind = visibility === 'public' ? 'Public room' : 'Private room';
  return archived ? `${kind}, archived` : kind;
}

/** Why a room is not there any more. */
export function goneText({ name, change, by }: Gone, names: ReadonlyMap<string, string>): string {
  const room = name === '' ? 'this room' : name;
  const who = names.get(by) ?? by;
  switch (change) {
    case 'left':
      return `You left ${room}.`;
    case 'removed':
      return `${who} removed you from ${room}.`;
    case 'banned':
      return `${who} banned you from ${room}.`;
  }
}

/** What happened in a room, in one line. */
export function noticeText(notice: Notice, me: string, names: ReadonlyMap<string, string>): string {
  const called = (user: string, self: string) => (user === me ? self : (names.get(user) ?? user));
  const who = called(notice.by, 'You');
  const whom = called(notice.user, 'you');
  const self = notice.by === notice.user;
  switch (notice.what) {
    case 'joined':
      return self ? `${who} joined.` : `${who} added ${whom}.`;
    case 'left':
      return `${called(notice.user, 'You')} left.`;
    case 'removed':
      return `${who} removed ${whom}.`;
    case 'banned':
      return `${who} banned ${whom}.`;
    case 'renamed':
      return `${who} renamed the room to ${notice.name}.`;
    case 'archived':
      return `${who} archived the room.`;
    case 'unarchived':
      return `${who} opened the room again.`;
  }
}

/** What waits in the outbox. */
export function waitingText({ messages, changes }: { messages: number; changes: number }): string {
  const parts = [
    ...(messages > 0 ? [counted(messages, 'message', 'messages')] : []),
    ...(changes > 0 ? [counted(changes, 'change', 'changes')] : []),
  ];
  return parts.join(' and ');
}

export function counted(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** The same colour for the same person everywhere: one of eight, by handle. */
export function toneOf(handle: string): number {
  let hash = 0;
  for (const char of handle) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  return hash % 8;
}

export function initialOf(name: string): string {
  const [first = '?'] = name.trim();
  return first.toUpperCase();
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Making a format is slow and there are few of them. */
function formatted(at: string, locale: string | undefined, options: Intl.DateTimeFormatOptions): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '';
  const key = `${locale} ${JSON.stringify(options)}`;
  const format = formats.get(key) ?? new Intl.DateTimeFormat(locale, options);
  formats.set(key, format);
  return format.format(date);
}
