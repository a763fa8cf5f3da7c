/** The beginning of a session: where an earlier page ended, or without going on where the last one ended (CON3). */
import { asBefore } from '../listings.ts';
import { conversationsShown } from '../shown.ts';
import { initialState, type Stale, type State } from '../state.ts';
import { conversationOfKey, emptyTimeline, isRead, rootOfKey } from '../timeline.ts';
import type { Changes, Frames } from './change.ts';

/** The reset after which the same seqs mean other messages. */
const OTHER_LOG = 'other_log';

export const sessionFrames: Frames<'reset'> = {
  reset: (state, { reason, position }) => ({
    ...initialState(state.me),
    generation: state.generation + 1,
    minPosition: position,
    names: state.names,
    ...{ open: state.open, thread: state.thread, timelines: begun(state.thread) },
    // What stands beside it is read again where it stands.
    ...{ members: state.members, directory: state.directory, card: state.card, beside: state.beside },
    listings: asBefore(state.listings),
    stale: staleOf(state, reason === OTHER_LOG),
  }),
};

export const sessionChanges: Changes<'restored'> = {
  restored: (state, { position, before, uncounted }) => ({
    ...state,
    minPosition: position,
    uncounted: new Set(uncounted),
    stale: before.size === 0 ? null : { ...NOTHING_BEFORE, timelines: before },
  }),
};

const NOTHING_BEFORE: Omit<Stale, 'timelines'> = {
  conversations: new Map(),
  direct: new Map(),
  foreign: false,
};

/** What was cached belongs to another past. Until it is read again, it is better to look at than nothing. */
function staleOf(state: State, foreign: boolean): Stale {
  const { stale } = state;
  return {
    conversations: conversationsShown(state),
    direct: new Map([...(stale?.direct ?? []), ...state.direct]),
    // Of a timeline that is only begun, what was known before says more.
    timelines: new Map([
      ...(stale?.timelines ?? []),
      ...[...state.timelines].filter(([, line]) => isRead(line)),
    ]),
    foreign: foreign || stale?.foreign === true,
  };
}

/** The thread on the screen takes in what frames bring from the first one on. */
function begun(thread: State['thread']): State['timelines'] {
  if (thread === null) return new Map();
  return new Map([[thread, emptyTimeline(conversationOfKey(thread), rootOfKey(thread))]]);
}
