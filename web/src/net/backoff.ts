/** After this many attempts in a row the delay is no longer random (HRT5). */
export const PATIENT_AFTER_ATTEMPTS = 10;
const MAX_DELAY_MS = 30_000;

/** HRT5: `random(0, min(30 s, 1 s * 2^attempt))`, and every 30 s once ten attempts have failed. */
export function reconnectDelayMs(attempt: number, random: number): number {
  if (attempt >= PATIENT_AFTER_ATTEMPTS) return MAX_DELAY_MS;
  return Math.floor(random * Math.min(MAX_DELAY_MS, 1000 * 2 ** attempt));
}
