import { describe, expect, it } from 'vitest';
import { MAX_BLOCKED } from './blocks.ts';
import { type Change, fold } from './fold.ts';
import { initialState, type State } from './state.ts';

const block = (seq: number, user: string, blocked: boolean): Change => ({
  type: 'frame',
  frame: { type: 'block', seq, position: `p${seq}`, user, blocked, id: `id-${seq}`, at: 't' },
  now: 0,
});
const own = (seq: number, user: string, blocked: boolean): Change => ({
  type: 'blocked',
  block: { seq, user, blocked },
});
const read = (generation: number, ...users: string[]): Change => ({
  type: 'blocks_read',
  generation,
  users,
});
const reset: Change = { type: 'frame', frame: { type: 'reset', reason: 'fresh', position: 'p0' }, now: 0 };
const folded = (...changes: Change[]): State => changes.reduce(fold, initialState('alice'));
const blockedIn = (state: State) => [...state.blocked].sort();

describe('whom this person has blocked', () => {
  it('cmd7_is_what_history_says_and_what_happened_since', () => {
    expect(blockedIn(folded(read(0, 'bob', 'carol'), block(5, 'bob', false), own(6, 'dora', true)))).toEqual([
      'carol',
      'dora',
    ]);
  });

  it('con5_is_the_same_whether_a_page_came_before_the_frames_or_after_them', () => {
    const frames = [block(5, 'bob', true), own(6, 'carol', true), block(7, 'carol', false)];
    for (const page of [read(0, 'dora'), read(0, 'dora', 'bob', 'carol')]) {
      expect(blockedIn(folded(page, ...frames))).toEqual(['bob', 'dora']);
      expect(blockedIn(folded(...frames, page))).toEqual(['bob', 'dora']);
    }
  });

  it('evt2_an_event_that_comes_again_changes_nothing', () => {
    const before = folded(block(5, 'bob', true), block(6, 'bob', false));
    expect(fold(before, block(5, 'bob', true))).toBe(before);
  });

  it('con5_is_forgotten_at_a_reset_and_an_answer_from_before_it_is_not_taken_in', () => {
    const after = folded(read(0, 'bob'), block(5, 'carol', true), reset);
    expect(blockedIn(after)).toEqual([]);
    expect(after.blocksRead).toBe(false);
    expect(fold(after, read(0, 'bob'))).toBe(after);
    expect(blockedIn(fold(after, read(1, 'dora')))).toEqual(['dora']);
  });

  it('remembers_a_bounded_number_of_changes', () => {
    const many = Array.from({ length: MAX_BLOCKED + 5 }, (_, n) => block(n + 1, `user-${n}`, n % 2 === 0));
    expect(folded(...many).recentBlocks.length).toBe(MAX_BLOCKED);
  });
});
