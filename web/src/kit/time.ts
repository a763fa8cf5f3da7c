/** Days and times as people read them. */
import type { common } from './words.en.ts';

export interface Calendar {
  locale: string | undefined;
  timeZone: string | undefined;
}

type Words = (typeof common)['time'];

const DAY_MS = 86_400_000;

/** One text per calendar day, for comparing. */
export function dayOf(at: string, { timeZone }: Pick<Calendar, 'timeZone'>): string {
  if (timeZone === undefined) {
    // The browser's own zone, without a formatter: a long timeline asks this for every line.
    const date = new Date(at);
    const two = (n: number) => String(n).padStart(2, '0');
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  }
  return formatted(at, 'en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
}

/** Today, Yesterday, or the date. */
export function dayName(at: string, now: number, calendar: Calendar, words: Words): string {
  const days = daysAgo(at, now, calendar);
  if (days === 0) return words.today;
  if (days === 1) return words.yesterday;
  return dated(at, now, calendar, { weekday: 'long', day: 'numeric', month: 'long' });
}

/** How many days of the calendar: by their names, for not every day has 24 hours. */
function daysAgo(at: string, now: number, calendar: Calendar): number {
  return (Date.parse(today(now, calendar)) - Date.parse(dayOf(at, calendar))) / DAY_MS;
}

function today(now: number, calendar: Calendar): string {
  return dayOf(new Date(now).toISOString(), calendar);
}

/** With the year where it is another one. */
function dated(at: string, now: number, calendar: Calendar, date: Intl.DateTimeFormatOptions): string {
  const { locale, timeZone } = calendar;
  const thisYear = dayOf(at, calendar).slice(0, 4) === today(now, calendar).slice(0, 4);
  return formatted(at, locale, { ...date, ...(!thisYear && { year: 'numeric' }), timeZone });
}

export function clockTime(at: string, { locale, timeZone }: Calendar): string {
  return formatted(at, locale, { hour: '2-digit', minute: '2-digit', timeZone });
}

/** Date and time in full, for whoever points at a short one. */
export function fullTime(at: string, { locale, timeZone }: Calendar): string {
  return formatted(at, locale, { dateStyle: 'full', timeStyle: 'short', timeZone });
}

/** The day alone, with its year. */
export function dateOf(at: string, { locale, timeZone }: Calendar): string {
  return formatted(at, locale, { dateStyle: 'long', timeZone });
}

/** For the list: the time today, the weekday within a week, else the date. */
export function shortTime(at: string, now: number, calendar: Calendar): string {
  const { locale, timeZone } = calendar;
  const days = daysAgo(at, now, calendar);
  if (days === 0) return clockTime(at, calendar);
  return days < 7
    ? formatted(at, locale, { weekday: 'short', timeZone })
    : dated(at, now, calendar, { day: 'numeric', month: 'short' });
}

export function lastSeen(at: string, now: number, calendar: Calendar, words: Words): string {
  const minutes = Math.floor((now - Date.parse(at)) / 60_000);
  if (!Number.isFinite(minutes)) return words.offline;
  if (minutes < 1) return words.seenJustNow;
  if (minutes < 60) return words.seenMinutesAgo(minutes);
  if (minutes < 24 * 60) return words.seenHoursAgo(Math.floor(minutes / 60));
  return words.seenOn(shortTime(at, now, calendar));
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

/** How long ago, in a word or two; the day where it is long ago. */
export function ago(at: string, now: number, calendar: Calendar): string {
  const minutes = Math.floor((now - Date.parse(at)) / 60_000);
  if (!Number.isFinite(minutes)) return '';
  if (minutes >= 24 * 60) return shortTime(at, now, calendar);
  const key = `${calendar.locale}`;
  const format = spans.get(key) ?? new Intl.RelativeTimeFormat(calendar.locale, { style: 'short' });
  spans.set(key, format);
  // A clock that is behind does not make it the future.
  return minutes < 60
    ? format.format(-Math.max(1, minutes), 'minute')
    : format.format(-Math.floor(minutes / 60), 'hour');
}

const spans = new Map<string, Intl.RelativeTimeFormat>();
