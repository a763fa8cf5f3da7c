/**
 * The one fold: state and change give state. Changes are the frames of a session, the pages of history, and what
 * this client itself did. Events are applied by seq, so a page that already has them and a frame that brings them
 * again leave the same state (CON5).
 */
import type { ServerFrame } from '../net/frames.ts';
import { besideChanges } from './beside.ts';
import { directoryChanges } from './directory.ts';
import { blockChanges, blockFrames } from './fold/blocks.ts';
import type { Change, Changes, ChangeType, Frames, FrameType } from './fold/change.ts';
import { listChanges, listFrames } from './fold/list.ts';
import { messageChanges, messageFrames } from './fold/messages.ts';
import { peopleChanges, peopleFrames } from './fold/people.ts';
import { presenceChanges, presenceFrames } from './fold/presence.ts';
import { roomChanges, roomFrames } from './fold/rooms.ts';
import { sessionChanges, sessionFrames } from './fold/session.ts';
import { timelineChanges } from './fold/timelines.ts';
import { listingChanges } from './listings.ts';
import { membersChanges } from './members.ts';
import type { State } from './state.ts';

export type { Change } from './fold/change.ts';
export { TYPING_MS } from './fold/presence.ts';

const CHANGES: Changes<ChangeType> = {
  frame: (state, { frame, now }) => foldFrame(state, frame, now),
  ...sessionChanges,
  ...messageChanges,
  ...timelineChanges,
  ...listChanges,
  ...roomChanges,
  ...peopleChanges,
  ...blockChanges,
  ...presenceChanges,
  ...membersChanges,
  ...directoryChanges,
  ...besideChanges,
  ...listingChanges,
};

/** Frames that are not here are of the connection, or of later versions (FRM2). */
const FRAMES: Partial<Frames<FrameType>> = {
  ...sessionFrames,
  ...messageFrames,
  ...listFrames,
  ...roomFrames,
  ...peopleFrames,
  ...blockFrames,
  ...presenceFrames,
};

export function fold(state: State, change: Change): State {
  // An answer to a question of an earlier generation tells of another past.
  if ('generation' in change && change.generation !== state.generation) return state;
  const step = CHANGES[change.type] as (state: State, change: Change) => State;
  return step(state, change);
}

function foldFrame(state: State, frame: ServerFrame, now: number): State {
  const step = FRAMES[frame.type] as ((state: State, frame: ServerFrame, now: number) => State) | undefined;
  return step === undefined ? state : step(state, frame, now);
}
