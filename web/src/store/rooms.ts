/** Rooms: what they are now, what happened in them, and which ones this person is in no more (PROTOCOL §4). */
import type { MemberFrame, Preferences, Role, RoomFacts, RoomFrame, Visibility } from '../net/frames.ts';
import type { Conversation } from './state.ts';

/** What a frame told of a room, of this person's role in it, or of how they want it to be treated, at its place in the log. */
export type Told = { seq: number; conversation: string } & (
  | { room: RoomFacts }
  /** Of a room of which the rest is not known yet. */
  | { changes: RoomChanges }
  | { role: Role }
  | { preferences: Preferences }
);

/** What was asked to be changed of a room. */
export type RoomChanges = { [F in Exclude<keyof RoomFacts, 'owners'>]?: RoomFacts[F] | undefined };

/** A page is read in seconds; more than this is not told meanwhile. */
const MAX_TOLD = 500;
/** Who looks for a room is told why it is gone, but not for ever. */
const MAX_GONE = 200;
const MAX_NOTICES = 50;

/** How one left a room. */
export interface Gone {
  name: string;
  /** Null where it was never known. */
  visibility: Visibility | null;
  change: 'left' | 'removed' | 'banned';
  by: string;
}

/** A small line between messages: who did what, and to whom. */
export interface Notice {
  seq: number;
  at: string;
  by: string;
  user: string;
  what: 'joined' | 'left' | 'removed' | 'banned' | 'renamed' | 'archived' | 'unarchived';
  /** What the room is called since. */
  name: string;
}

/** The next one in the log's order; the same list for one that has been taken in. */
export function withTold(told: readonly Told[], next: Told): readonly Told[] {
  return next.seq <= (told.at(-1)?.seq ?? 0) ? told : [...told.slice(1 - MAX_TOLD), next];
}

export function withWord(conversation: Conversation, word: Told): Conversation {
  if ('preferences' in word) return { ...conversation, preferences: word.preferences };
  if ('role' in word) return { ...conversation, role: word.role };
  if ('room' in word) return { ...conversation, kind: 'room', room: word.room };
  const { room } = conversation;
  return room === null ? conversation : { ...conversation, room: factsAfter(room, word.changes) };
}

export function factsAfter(room: RoomFacts, { name, topic, visibility, archived }: RoomChanges): RoomFacts {
  return {
    name: name ?? room.name,
    topic: topic ?? room.topic,
    visibility: visibility ?? room.visibility,
    archived: archived ?? room.archived,
    owners: room.owners,
  };
}

export function withGone(
  gone: ReadonlyMap<string, Gone>,
  conversation: string,
  next: Gone,
): ReadonlyMap<string, Gone> {
  const rest = new Map(gone);
  rest.delete(conversation);
  const oldest = rest.keys().next().value;
  if (rest.size >= MAX_GONE && oldest !== undefined) rest.delete(oldest);
  return rest.set(conversation, next);
}

/** Whether somebody whose place became this one is in the room no more. */
export function isGoing(change: string): change is Gone['change'] {
  return change === 'left' || change === 'removed' || change === 'banned';
}

/** A new role and a ban that was taken back go without a line. */
export function noticeOfMember({ seq, at, by, user, change }: MemberFrame): Notice | null {
  return change === 'joined' || isGoing(change) ? { seq, at, by, user, what: change, name: '' } : null;
}

/** What is another name, or archived, since the frame; of the rest nothing is said. */
export function noticeOfRoom(before: RoomFacts | null, frame: RoomFrame): Notice | null {
  const { seq, at, by, name, archived } = frame;
  if (before === null) return null;
  const line = { seq, at, by, user: by, name };
  if (before.archived !== archived) return { ...line, what: archived ? 'archived' : 'unarchived' };
  return before.name === name ? null : { ...line, what: 'renamed' };
}

export function withNotice(conversation: Conversation, notice: Notice | null): Conversation {
  const { notices } = conversation;
  if (notice === null || notice.seq <= (notices.at(-1)?.seq ?? 0)) return conversation;
  return { ...conversation, notices: [...notices.slice(1 - MAX_NOTICES), notice] };
}
