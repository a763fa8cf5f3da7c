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
  const day = dayOf(at, calendar);
  if (day === dayOf(new Date(now).toISOString(), calendar)) return words.today;
  if (day === dayOf(new Date(now - DAY_MS).toISOString(), calendar)) return words.yesterday;
  const { locale, timeZone } = calendar;
  const thisYear = day.slice(0, 4) === dayOf(new Date(now).toISOString(), calendar).slice(0, 4);
  const date = { weekday: 'long', day: 'numeric', month: 'long', timeZone } as const;
  return formatted(at, locale, thisYear ? date : { ...date, year: 'numeric' });
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
  if (dayOf(at, calendar) === dayOf(new Date(now).toISOString(), calendar)) return clockTime(at, calendar);
  const age = now - Date.parse(at);
  return age < 6 * DAY_MS
    ? formatted(at, locale, { weekday: 'short', timeZone })
    : formatted(at, locale, { day: 'numeric', month: 'short', timeZone });
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
