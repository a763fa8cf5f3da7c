/** Which emoji somebody likes: what they picked last, and their skin tone. It stays on the device. */
import { useMemo } from 'react';
import { useClient, useSetting } from '../../hooks/client.ts';
import { oneEmoji } from '../message/emoji.ts';
import { TONES } from './tone.ts';

export interface Taste {
  /** Without skin tones, the last one first. */
  recent: readonly string[];
  tone: number;
}

/** Three rows of eight. */
export const MAX_RECENT = 24;
const SETTING = 'emoji';

export function useTaste(): [Taste, change: (change: Partial<Taste>) => void] {
  const { settings } = useClient();
  const kept = useSetting(SETTING);
  const taste = useMemo(() => tasteOf(kept), [kept]);
  return [taste, (change) => settings.set(SETTING, { ...taste, ...change })];
}

/** What was kept, as far as it makes sense. */
export function tasteOf(kept: unknown): Taste {
  const { recent, tone } = typeof kept === 'object' && kept !== null ? (kept as Record<string, unknown>) : {};
  const known = Array.isArray(recent)
    ? recent.filter((one): one is string => typeof one === 'string' && oneEmoji(one) === one)
    : [];
  return { recent: known.slice(0, MAX_RECENT), tone: TONES.find((one) => one === tone) ?? 0 };
}

export function withUsed(recent: readonly string[], emoji: string): readonly string[] {
  return [emoji, ...recent.filter((one) => one !== emoji)].slice(0, MAX_RECENT);
}
