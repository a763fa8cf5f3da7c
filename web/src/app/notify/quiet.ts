import { MINUTES_PER_DAY, type QuietHours } from '../../device/notify.ts';

/**
 * Whether it is quiet now, by the clock on the wall: over midnight, and on days that have an hour more or less. From and
 * to the same time is all day.
 */
export function isQuiet({ on, from, to }: QuietHours, now: number): boolean {
  if (!on) return false;
  const date = new Date(now);
  const minute = date.getHours() * 60 + date.getMinutes();
  const since = (minutes: number) => (minutes - from + MINUTES_PER_DAY) % MINUTES_PER_DAY;
  return since(minute) < (since(to) || MINUTES_PER_DAY);
}
