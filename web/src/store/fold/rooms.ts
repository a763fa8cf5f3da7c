/** Rooms: what they are, and who comes and goes. */
import type { MemberFrame, RoomFrame } from '../../net/frames.ts';
import { withoutListed } from '../listings.ts';
import { withMember } from '../members.ts';
import { type Gone, isGoing, noticeOfMember, noticeOfRoom, withGone, withNotice } from '../rooms.ts';
import { roomKey, type State } from '../state.ts';
import { conversationOfKey } from '../timeline.ts';
import type { Changes, Frames } from './change.ts';
import { changed } from './held.ts';
import { foldTold } from './list.ts';

export const roomChanges: Changes<'entered' | 'left'> = {
  entered: (state, { conversation, id, position, refused }) =>
    withEntered(state, conversation, id, position, refused),
  left: (state, { conversation }) => withoutRoom(state, conversation, 'left', state.me),
};

export const roomFrames: Frames<'room' | 'member'> = { room: foldRoom, member: foldMember };

function foldRoom(state: State, frame: RoomFrame): State {
  const { seq, position, conversation, name, topic, visibility, archived, owners, by, id } = frame;
  const noticed = changed(state, conversation, (held) => withNotice(held, noticeOfRoom(held.room, frame)));
  const next = foldTold(noticed, { seq, conversation, room: { name, topic, visibility, archived, owners } });
  return by === state.me && id !== '' && !state.conversations.has(conversation)
    ? withEntered(next, conversation, id, position)
    : next;
}

function foldMember(before: State, frame: MemberFrame): State {
  const state = withMember(before, frame);
  const { seq, conversation, user, change, role, by, id, position } = frame;
  if (user !== state.me)
    return changed(state, conversation, (held) => withNotice(held, noticeOfMember(frame)));
  if (change === 'joined') return withEntered(state, conversation, by === state.me ? id : '', position);
  if (change === 'role' && role !== undefined) return foldTold(state, { seq, conversation, role });
  return isGoing(change) ? withoutRoom(state, conversation, change, by) : state;
}

/** One is in it from now on; what it is, history tells, once it is as new as this. */
function withEntered(
  state: State,
  conversation: string,
  id: string,
  position: string | null,
  refused: readonly string[] = [],
): State {
  const gone = new Map(state.gone);
  gone.delete(conversation);
  const entered = id === '' ? state.entered : { id, conversation, refused };
  return { ...state, gone, entered, minPosition: position ?? state.minPosition };
}

/** Who is in a room no more is told nothing of it: what was here of it gets old, and is let go. */
function withoutRoom(state: State, id: string, change: Gone['change'], by: string): State {
  const elsewhere = ({ conversation }: { conversation: string }) => conversation !== id;
  const before = state.conversations.get(id) ?? state.stale?.conversations.get(id);
  const { name = '', visibility = null } = before?.room ?? state.gone.get(id) ?? {};
  const readings = new Map(state.readings);
  readings.delete(roomKey(id));
  return {
    ...state,
    readings,
    conversations: without(state.conversations, id),
    timelines: withoutLinesOf(state.timelines, id),
    stale: state.stale && {
      ...state.stale,
      conversations: without(state.stale.conversations, id),
      timelines: withoutLinesOf(state.stale.timelines, id),
    },
    thread: state.thread !== null && conversationOfKey(state.thread) === id ? null : state.thread,
    typing: without(state.typing, id),
    listings: withoutListed(state.listings, id),
    recent: state.recent.filter(elsewhere),
    told: state.told.filter(elsewhere),
    unknown: state.unknown.filter((other) => other !== id),
    gone: withGone(state.gone, id, { name, visibility, change, by }),
  };
}

function without<T>(map: ReadonlyMap<string, T>, key: string): ReadonlyMap<string, T> {
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}

/** Of the conversation and of its threads. */
function withoutLinesOf<T extends { conversation: string }>(
  lines: ReadonlyMap<string, T>,
  id: string,
): ReadonlyMap<string, T> {
  return new Map([...lines].filter(([, { conversation }]) => conversation !== id));
}
