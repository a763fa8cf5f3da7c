import { describe, expect, it } from 'vitest';
import { CONVERSATIONS, framesOf, HistoryAt, keyOfPlace, ME } from '../testing/world.ts';
import { type Change, fold } from './fold.ts';
import { restoring, snapshotOf } from './snapshot.ts';
import { initialState, type State } from './state.ts';
import { newestOf, timelineKey } from './timeline.ts';

const [PLACE] = CONVERSATIONS;
const FRAMES = framesOf(
  Array.from({ length: 9 }, () => ({ what: 'message' as const, place: 0, who: 1, pick: 1, flag: false })),
);
const CHANGES = FRAMES.map((frame): Change => ({ type: 'frame', frame, now: 0 }));

const told = (...changes: Change[]): State => changes.reduce(fold, initialState(ME));
const list = (upTo: number): Change => ({
  ...{ type: 'list_page', generation: 0 },
  page: { items: new HistoryAt(FRAMES, upTo).list(), next: null, position: 'h' },
});
const page = (place: 'newest' | 'around', upTo: number, seq = 0): Change => {
  const history = new HistoryAt(FRAMES, upTo);
  return {
    ...{ type: 'messages_page', generation: 0, key: keyOfPlace(PLACE), participants: [...PLACE.people] },
    ...{ thread: null, place: place === 'newest' ? { at: place } : { at: place, older: true } },
    page: place === 'newest' ? history.newest(PLACE, null, 2) : history.around(PLACE, null, seq, 2),
  };
};
const again = (state: State): State => {
  const known = snapshotOf(state, 'p');
  if (known === null) throw new Error('nothing to keep');
  return told(...restoring(known));
};
const lineOf = (state: State) => {
  const timeline = state.timelines.get(timelineKey(PLACE.id));
  const newest = timeline && newestOf(timeline);
  return newest && [newest.messages.map(({ seq }) => seq), newest.older];
};

describe('con3_what_the_next_page_knows', () => {
  it('is_the_newest_messages_and_whether_there_is_something_before_them', () => {
    expect(lineOf(again(told(list(5), page('newest', 5), ...CHANGES.slice(5, 6))))).toEqual([
      [4, 5, 6],
      true,
    ]);
    expect(lineOf(again(told(list(2), page('newest', 2))))).toEqual([[1, 2], false]);
  });

  it('is_not_taken_for_the_beginning_where_frames_alone_told_of_it', () => {
    const opened = { type: 'opened', key: keyOfPlace(PLACE) } as const;
    const jumped = told(list(7), opened, ...CHANGES.slice(7, 9), page('around', 9, 2));
    expect(lineOf(again(jumped))).toEqual([[8, 9], true]);
  });

  it('leaves_out_what_nobody_has_read', () => {
    expect(lineOf(again(told(list(7), ...CHANGES.slice(7, 9))))).toBeUndefined();
  });

  it('is_also_which_rooms_are_to_be_counted_again', () => {
    const of = { seq: 8, position: 'p8', conversation: 'room-1', id: 'j', at: '2026-05-01T00:00:08.000Z' };
    const came = { type: 'member', ...of, user: 'cy', by: 'cy', change: 'joined', role: 'member' } as const;
    const before = told(list(7), { type: 'frame', frame: came, now: 0 });
    expect([...again(before).uncounted]).toEqual(['room-1']);
  });

  it('is_nothing_while_a_count_is_a_guess', () => {
    const read = { type: 'read', conversation: PLACE.id, seq: 3 } as const;
    expect(snapshotOf(told(list(7), read), 'p')).toBeNull();
  });
});
