import { describe, expect, it } from 'vitest';
import { ago, type Calendar, dayName, lastSeen, shortTime } from './time.ts';
import { common } from './words.en.ts';

const { time } = common;
const NOW = Date.parse('2026-05-06T12:00:00Z');
const calendar: Calendar = { locale: 'en-GB', timeZone: 'UTC' };

describe('days and times', () => {
  it('days_and_times', () => {
    expect(dayName('2026-05-06T00:00:00Z', NOW, calendar, time)).toBe('Today');
    expect(dayName('2026-05-05T23:59:00Z', NOW, calendar, time)).toBe('Yesterday');
    expect(dayName('2026-05-01T10:00:00Z', NOW, calendar, time)).toBe('Friday 1 May');
    expect(dayName('2025-05-01T10:00:00Z', NOW, calendar, time)).toContain('2025');
    expect(shortTime('2026-05-06T09:05:00Z', NOW, calendar)).toBe('09:05');
    expect(shortTime('2026-05-03T09:05:00Z', NOW, calendar)).toBe('Sun');
    expect(shortTime('2026-01-03T09:05:00Z', NOW, calendar)).toBe('3 Jan');
    expect(shortTime('no time', NOW, calendar)).toBe('');
  });

  it('yesterday_is_the_day_before_also_where_that_had_23_hours_or_25', () => {
    const berlin = { locale: 'en-GB', timeZone: 'Europe/Berlin' };
    const name = (at: string, now: string) => dayName(at, Date.parse(now), berlin, time);
    // Half past midnight after the night in which the clocks were put forward, and almost midnight after the other one.
    expect(name('2026-03-29T10:00:00Z', '2026-03-29T22:30:00Z')).toBe('Yesterday');
    expect(name('2026-03-28T22:45:00Z', '2026-03-29T22:30:00Z')).toBe('Saturday 28 March');
    expect(name('2026-10-25T10:00:00Z', '2026-10-26T22:45:00Z')).toBe('Yesterday');
    expect(name('2026-10-25T10:00:00Z', '2026-10-25T22:45:00Z')).toBe('Today');
    // Never the name of the day that it is: a week ago is a date.
    const short = (at: string) => shortTime(at, Date.parse('2026-03-31T05:00:00Z'), berlin);
    expect(short('2026-03-25T04:00:00Z')).toBe('Wed');
    expect(short('2026-03-24T23:30:00Z')).toBe('Wed');
    expect(short('2026-03-24T22:30:00Z')).toBe('24 Mar');
  });

  it('another_year_is_named', () => {
    expect(shortTime('2023-11-07T10:00:00Z', NOW, calendar)).toBe('7 Nov 2023');
    expect(lastSeen('2023-11-07T10:00:00Z', NOW, calendar, time)).toBe('Last seen 7 Nov 2023');
    expect(ago('2025-05-07T10:00:00Z', NOW, calendar)).toBe('7 May 2025');
    const january = Date.parse('2026-01-02T12:00:00Z');
    expect(shortTime('2025-12-30T10:00:00Z', january, calendar)).toBe('Tue');
    expect(shortTime('2025-12-24T10:00:00Z', january, calendar)).toBe('24 Dec 2025');
  });

  it('last_seen', () => {
    expect(lastSeen('2026-05-06T11:59:30Z', NOW, calendar, time)).toBe('Last seen just now');
    expect(lastSeen('2026-05-06T11:15:00Z', NOW, calendar, time)).toBe('Last seen 45 min ago');
    expect(lastSeen('2026-05-06T09:00:00Z', NOW, calendar, time)).toBe('Last seen 3 h ago');
    expect(lastSeen('?', NOW, calendar, time)).toBe('Offline');
  });
});
