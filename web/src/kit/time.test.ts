import { describe, expect, it } from 'vitest';
import { type Calendar, dayName, lastSeen, shortTime } from './time.ts';
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

  it('last_seen', () => {
    expect(lastSeen('2026-05-06T11:59:30Z', NOW, calendar, time)).toBe('Last seen just now');
    expect(lastSeen('2026-05-06T11:15:00Z', NOW, calendar, time)).toBe('Last seen 45 min ago');
    expect(lastSeen('2026-05-06T09:00:00Z', NOW, calendar, time)).toBe('Last seen 3 h ago');
    expect(lastSeen('?', NOW, calendar, time)).toBe('Offline');
  });
});
