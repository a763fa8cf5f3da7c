import { describe, expect, it } from 'vitest';
import type { MessageItem } from '../net/frames.ts';
import { said } from './changes.ts';
import { type Change, fold } from './fold.ts';
import { KEPT_MESSAGES } from './segments.ts';
import { conversationShown, takesCommands, timelineShown } from './shown.ts';
import { directKey, initialState, type State } from './state.ts';
import { Store } from './store.ts';
import { MAX_HELD, newestOf, type Place, shownSegment } from './timeline.ts';

const C = 'c';
const KEY = directKey(['ada', 'bob']);
const SAID = 100_000;
const PER_PAGE = 50;

const item = (seq: number): MessageItem => ({
  ...said({ seq, sender: 'bob', id: `id-${seq}`, text: `text ${seq}`, at: '2026-05-01T12:00:00.000Z' }),
  ...{ conversation: C, thread: null, reactions: [], mentions: [] },
  ...{ reply: null, replies: null },
});
const live = (seq: number): Change => {
  const { reply: _, ...frame } = item(seq);
  return {
    type: 'frame',
    now: 0,
    frame: { type: 'message', position: 'p', participants: ['ada', 'bob'], ...frame },
  };
};
const reset = (reason = 'too_much'): Change => ({
  ...{ type: 'frame', now: 0 },
  frame: { type: 'reset', reason, position: 'p' },
});
/** A page of a conversation in which `SAID` messages were said. */
const page = (from: number, to: number, place: Place, generation = 0, show?: number): Change => ({
  ...{ type: 'messages_page', generation, key: KEY, participants: ['ada', 'bob'], thread: null, place, show },
  page: {
    items: Array.from({ length: to - from + 1 }, (_, n) => item(from + n)),
    next: (place.at === 'before' || place.at === 'newest' ? from > 1 : to < SAID) ? 'more' : null,
    position: 'h',
  },
});
const opened: Change = { type: 'opened', key: KEY };
const folded = (...changes: Change[]): State => changes.reduce(fold, initialState('ada'));
const lineOf = (state: State) => {
  const timeline = state.timelines.get(C);
  if (timeline === undefined) throw new Error('nothing is held');
  return timeline;
};
const runs = (state: State) =>
  lineOf(state).segments.map(({ from, to, older, newer }) => [from, to, older, newer]);
const newest = page(SAID - PER_PAGE + 1, SAID, { at: 'newest' });

describe('a_timeline_of_100_000_messages', () => {
  it('scrolls_to_its_beginning_and_back_in_bounded_memory', () => {
    let state = folded(opened, newest);
    let most = 0;
    const load = (of: 'older' | 'newer') => {
      const segment = shownSegment(lineOf(state));
      const seq = segment?.messages.at(of === 'older' ? 0 : -1)?.seq ?? 0;
      state = fold(state, { type: 'shown', timeline: C, seq });
      state = fold(
        state,
        of === 'older'
          ? page(Math.max(1, seq - PER_PAGE), seq - 1, { at: 'before', seq })
          : page(seq + 1, Math.min(SAID, seq + PER_PAGE), { at: 'after', seq }),
      );
      most = Math.max(most, ...[lineOf(state).segments.reduce((n, { messages }) => n + messages.length, 0)]);
    };
    while (shownSegment(lineOf(state))?.older !== false) load('older');
    expect(shownSegment(lineOf(state))?.messages[0]?.seq).toBe(1);
    // The newest messages stay, for coming back to them.
    expect(newestOf(lineOf(state))?.to).toBe(SAID);
    while (shownSegment(lineOf(state))?.newer === true) load('newer');
    expect(shownSegment(lineOf(state))?.to).toBe(SAID);
    expect(most).toBeLessThanOrEqual(2 * MAX_HELD + 2 * KEPT_MESSAGES + PER_PAGE);
  }, 120_000);

  it('keeps_the_end_apart_from_a_place_in_the_middle_until_pages_meet', () => {
    const there = folded(opened, newest, page(476, 525, { at: 'around', older: true }, 0, 500));
    expect(runs(there)).toEqual([
      [476, 525, true, true],
      [SAID - PER_PAGE + 1, SAID, true, false],
    ]);
    expect(shownSegment(lineOf(there))?.from).toBe(476);
    const after = fold(there, live(SAID + 1));
    expect(runs(after).at(-1)).toEqual([SAID - PER_PAGE + 1, SAID + 1, true, false]);
    // A page that reaches into the newest messages joins the two.
    const near = page(SAID - 75, SAID - 26, { at: 'around', older: true }, 0, SAID - 60);
    expect(runs(fold(after, near))).toEqual([
      [476, 525, true, true],
      [SAID - 75, SAID + 1, true, false],
    ]);
  });

  it('follows_a_long_stream_at_its_end_without_growing', () => {
    const many = Array.from({ length: 5 * MAX_HELD }, (_, n) => live(n + 1));
    const state = folded(opened, ...many);
    expect(newestOf(lineOf(state))?.to).toBe(5 * MAX_HELD);
    expect(newestOf(lineOf(state))?.messages.length).toBeLessThanOrEqual(2 * MAX_HELD);
  });
});

describe('con3_a_reset', () => {
  it('leaves_what_was_known_to_look_at_until_it_is_read_again', () => {
    const before = folded(opened, newest);
    const after = fold(before, reset());
    expect(after.timelines.size).toBe(0);
    expect(timelineShown(after, C)).toBe(lineOf(before));
    expect(conversationShown(after, C)?.participants).toEqual(['ada', 'bob']);
    expect(takesCommands(after, C)).toBe(true);
    // What is said meanwhile is seen at once.
    const said = fold(after, live(SAID + 7));
    expect(timelineShown(said, C)?.segments.at(-1)?.to).toBe(SAID + 7);
    const read = fold(said, page(SAID - 9, SAID, { at: 'newest' }, 1));
    expect(timelineShown(read, C)).toBe(read.timelines.get(C));
    expect(timelineShown(read, C)?.segments).toMatchObject([{ from: SAID - 9, to: SAID + 7 }]);
  });

  it('to_another_log_takes_no_commands_on_what_is_stale', () => {
    const after = folded(opened, newest, reset('other_log'));
    expect(timelineShown(after, C)).toBeDefined();
    expect(takesCommands(after, C)).toBe(false);
    // What is said in the new log does not go on where the old one ended.
    expect(timelineShown(fold(after, live(3)), C)?.segments.at(-1)?.to).toBe(SAID);
    expect(takesCommands(fold(after, page(1, 3, { at: 'newest' }, 1)), C)).toBe(true);
  });

  it('forgets_a_conversation_that_is_in_no_page_of_the_whole_list', () => {
    const after = folded(opened, newest, reset());
    const list = (next: string | null): Change => ({
      ...{ type: 'list_page', generation: 1 },
      page: { items: [], next, position: 'h' },
    });
    expect(conversationShown(fold(after, list('more')), C)).toBeDefined();
    expect(conversationShown(fold(after, list(null)), C)).toBeUndefined();
  });
});

describe('the_store', () => {
  it('hrt6_applies_at_once_and_tells_once_for_each_picture', () => {
    const frames: (() => void)[] = [];
    const store = new Store('ada', (fire) => frames.push(fire));
    let told = 0;
    store.subscribe(() => {
      told += 1;
    });
    for (let seq = 1; seq <= 500; seq += 1) store.apply(live(seq));
    expect(store.state.conversations.get(C)?.last?.seq).toBe(500);
    expect([told, frames.length]).toEqual([0, 1]);
    frames.shift()?.();
    expect(told).toBe(1);
    store.apply(live(500));
    expect(frames.length).toBe(0);
  });
});
