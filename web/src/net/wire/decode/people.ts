/** People: how they are shown, whether they are there, and who has blocked or banned them (PROTOCOL §4, §7). */
import type * as Wire from '../generated.ts';
import {
  flag,
  maybe,
  object,
  or,
  orNull,
  type Read,
  type Reader,
  text,
  unused,
  whole,
  word,
} from '../read.ts';
import { role } from './rooms.ts';

/** Who never chose a name is shown by their handle. */
function named<W, T extends { user: string; displayName: string }>(read: Reader<W, T>): Reader<W, T> {
  return (value, what) => {
    const person = read(value, what);
    return person.displayName === '' ? { ...person, displayName: person.user } : person;
  };
}

const person = { user: text, display_name: or(text, '') };

export const profile = named(
  object<Wire.Profile>()({
    ...person,
    seq: maybe(whole),
    position: maybe(text),
    id: maybe(text),
    at: unused,
  }),
);

export const block = object<Wire.Blocked>()({
  seq: whole,
  position: text,
  user: text,
  blocked: flag,
  id: or(text, ''),
  at: text,
});

export const presence = object<Wire.Presence>()({
  user: text,
  /** A status of a later version counts as being there. */
  status: word<Wire.PresenceStatus>(['online', 'away', 'busy', 'offline'], 'online'),
  text: maybe(text),
  last_seen: maybe(text),
});

export const userItem = named(object<Wire.UserItem>()({ ...person, last_seen: maybe(text) }));
export const blockItem = named(object<Wire.BlockItem>()(person));
export const banItem = named(object<Wire.BanItem>()(person));
export const memberItem = named(object<Wire.MemberItem>()({ ...person, role: orNull(role) }));

export type UserItem = Read<typeof userItem>;
export type BlockItem = Read<typeof blockItem>;
export type BanItem = Read<typeof banItem>;
/** Someone in a conversation; `role` is null where it is no room. */
export type MemberItem = Read<typeof memberItem>;
