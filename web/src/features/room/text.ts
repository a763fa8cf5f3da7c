/** What is said about rooms. */

import type { Catalogue } from '../../i18n/en.ts';
import { isolate } from '../../kit/bidi.ts';
import { type Names, nameOf } from '../../kit/people.ts';
import type { RoomFacts } from '../../net/frames.ts';
import type { Gone, Notice } from '../../store/rooms.ts';

type Words = Pick<Catalogue, 'common' | 'room'>;

export function kindOfRoom({ visibility, archived }: RoomFacts, { room }: Words): string {
  const kind = visibility === 'public' ? room.publicRoom : room.privateRoom;
  return archived ? room.archivedKind(kind) : kind;
}

/** Why a room is not there any more. */
export function goneText({ name, change, by }: Gone, names: Names, { common, room }: Words): string {
  const called = name === '' ? room.thisRoom : isolate(name);
  return change === 'left'
    ? room.gone.left(called)
    : room.gone[change](nameOf(by, names, common.people), called);
}

/** What happened in a room, in one line. */
export function noticeText(notice: Notice, me: string, names: Names, { common, room }: Words): string {
  const { notices } = room;
  const who = nameOf(notice.by, names, common.people);
  const whom = nameOf(notice.user, names, common.people);
  const byMe = notice.by === me;
  const isMe = notice.user === me;
  switch (notice.what) {
    case 'joined':
      return notice.by === notice.user ? notices.joined(who, isMe) : notices.added(who, byMe, whom, isMe);
    case 'left':
      return notices.left(whom, isMe);
    case 'removed':
    case 'banned':
      return notices[notice.what](who, byMe, whom, isMe);
    case 'renamed':
      return notices.renamed(who, byMe, isolate(notice.name));
    case 'archived':
    case 'unarchived':
      return notices[notice.what](who, byMe);
  }
}
