/** Where it is said that something was refused: each in one place. */
import type { EntryOf } from '../../outbox/queue.ts';

export type OfRooms = EntryOf<'room' | 'membership' | 'conversation'>;

/**
 * Above the list: of rooms that one is not in yet, and how a conversation is treated that is not open. The page of all
 * rooms says itself what was not joined from there, and so does what stands in place of a room: `outside`.
 */
export function isOfList(
  entry: OfRooms,
  page: string,
  open: string | undefined,
  outside: string | undefined,
): boolean {
  switch (entry.kind) {
    case 'create':
      return true;
    case 'join':
      return page !== 'rooms' && !isJoining(entry, outside);
    case 'prefer':
      return entry.to.conversation !== open;
    default:
      return false;
  }
}

/** In place of a room that one is not in. */
export function isJoining(entry: OfRooms, room: string | undefined): boolean {
  return entry.kind === 'join' && entry.to.conversation === room;
}

/** In a conversation: how it is treated. */
export function isPreferenceOf(entry: OfRooms, conversation: string | undefined): boolean {
  return entry.kind === 'prefer' && entry.to.conversation === conversation;
}

/** In a room, or in its details: what it is and who is in it. */
export function isWithin(entry: OfRooms, room: string | null): boolean {
  return (
    entry.kind !== 'create' &&
    entry.kind !== 'join' &&
    entry.kind !== 'prefer' &&
    entry.to.conversation === room
  );
}
