/** When a day (`2026-05-06`) begins where this page is; null for what is no day. */
export function beginningOf(day: string): string | null {
  const [, year, month, date] = /^(\d{4,5})-(\d\d)-(\d\d)$/.exec(day) ?? [];
  if (year === undefined) return null;
  const begins = new Date(Number(year), Number(month) - 1, Number(date));
  // A year of one's typing has leading noughts at first.
  if (Number.isNaN(begins.getTime()) || begins.getFullYear() !== Number(year)) return null;
  return begins.toISOString();
}
