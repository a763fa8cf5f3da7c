/** Where somebody was in conversations that they left in the middle, for as long as the page is there. */
import type { Client } from '../../sync/client.ts';

const MAX_PLACES = 50;

export interface Place {
  seq: number;
  /** How far below the upper edge it stood. */
  top: number;
}

const places = new WeakMap<Client, Map<string, Place>>();

export function placeIn(client: Client, key: string): Place | null {
  return places.get(client)?.get(key) ?? null;
}

/** Null where they were at the end: that is where one comes back to anyway. */
export function leavePlace(client: Client, key: string, place: Place | null): void {
  const held = places.get(client) ?? new Map<string, Place>();
  places.set(client, held);
  held.delete(key);
  if (place === null) return;
  held.set(key, place);
  const [oldest] = held.keys();
  if (held.size > MAX_PLACES && oldest !== undefined) held.delete(oldest);
}
