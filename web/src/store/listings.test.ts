import { describe, expect, it } from 'vitest';
import { decodeFrames, type MessageItem } from '../net/frames.ts';
import { type Change, fold } from './fold.ts';
import type { Question } from './listings.ts';
import { initialState, type State } from './state.ts';

const C = 'c';
const at = (seq: number) => new Date(Date.UTC(2026, 4, 1) + seq * 1000).toISOString();
const item = (seq: number, more: Partial<MessageItem> = {}): MessageItem => ({
  ...{
    seq,
    conversation: C,
    sender: 'bob',
    id: `id-${seq}`,
    text: `text ${seq}`,
    at: at(seq),
    editedAt: null,
  },
  ...{ deleted: false, reactions: [], replyTo: null, reply: null, thread: null, replies: null },
  ...{ mentions: [], mentionsRoom: false, pinned: false },
  ...more,
});
const frame = (of: object): Change => {
  const [decoded] = decodeFrames(JSON.stringify(of));
  if (decoded === undefined) throw new Error('no frame');
  return { type: 'frame', frame: decoded, now: 0 };
};
const about = (seq: number, message: number, of: object): Change =>
  frame({
    seq,
    position: `p${seq}`,
    conversation: C,
    message,
    by: 'bob',
    id: `id-${seq}`,
    at: at(seq),
    ...of,
  });
const reply = (seq: number, thread: number): Change =>
  frame({
    ...{ type: 'message', seq, position: `p${seq}`, conversation: C, sender: 'bob', id: `id-${seq}` },
    ...{ text: 'reply', mentions: [], thread, at: at(seq) },
  });
const page = (
  question: Question,
  items: MessageItem[],
  first = true,
  next: string | null = null,
): Change => ({
  ...{ type: 'listing_page', generation: 0, question, first, next },
  items: items.map((message) => ({ message, pinned: null })),
});
const folded = (...changes: Change[]): State => changes.reduce(fold, initialState('ada'));
const texts = (state: State, { list }: Question) =>
  state.listings.get(list)?.items.map(({ message }) => (message.deleted ? 'deleted' : message.text));

const threads: Question = { list: 'threads', conversation: C };
const pins: Question = { list: 'pins', conversation: C };
const search: Question = {
  ...{ list: 'search', conversation: C, everywhere: true },
  ...{ words: 'text', from: '', before: null },
};
const asked = (question: Question): Change => ({ type: 'listing_asked', question });

describe('a list of messages', () => {
  it('holds_each_once_over_its_pages', () => {
    const state = folded(
      ...[
        asked(search),
        page(search, [item(3), item(2)], true, 'more'),
        page(search, [item(2), item(1)], false),
      ],
    );
    expect(texts(state, search)).toEqual(['text 3', 'text 2', 'text 1']);
    expect(state.listings.get('search')?.next).toBeNull();
  });

  it('takes_no_answer_to_another_question', () => {
    const other = { ...search, words: 'other' };
    expect(texts(folded(asked(search), asked(other), page(search, [item(1)])), other)).toEqual([]);
  });

  it('changes_with_its_messages', () => {
    const state = folded(asked(search), page(search, [item(2), item(1)]));
    const edited = fold(state, about(5, 1, { type: 'edited', text: 'new text' }));
    expect(texts(edited, search)).toEqual(['text 2', 'new text']);
    expect(texts(fold(edited, about(6, 2, { type: 'deleted' })), search)).toEqual(['new text']);
    expect(fold(edited, about(7, 99, { type: 'deleted' })).listings).toBe(edited.listings);
  });

  it('of_threads_counts_replies_and_outlives_what_they_began_with', () => {
    const begun = item(1, { replies: { count: 1, lastAt: at(2) } });
    const state = folded(asked(threads), page(threads, [begun]), reply(4, 1));
    expect(state.listings.get('threads')?.items[0]?.message.replies).toMatchObject({
      count: 2,
      lastAt: at(4),
    });
    expect(texts(fold(state, about(5, 1, { type: 'deleted' })), threads)).toEqual(['deleted']);
  });

  it('of_pins_lets_go_of_what_is_unpinned_or_deleted_whichever_comes_first', () => {
    const pinned = [item(2, { pinned: true }), item(1, { pinned: true })];
    const unpinned = about(5, 2, { type: 'pin', op: 'remove' });
    const deleted = about(6, 1, { type: 'deleted' });
    expect(texts(folded(asked(pins), page(pins, pinned), unpinned), pins)).toEqual(['text 1']);
    expect(texts(folded(asked(pins), page(pins, pinned), unpinned, deleted), pins)).toEqual([]);
    expect(texts(folded(asked(pins), unpinned, deleted, page(pins, pinned)), pins)).toEqual([]);
  });

  it('con3_stays_after_a_reset_until_it_is_read_again', () => {
    const reset = frame({ type: 'reset', reason: 'fresh', position: 'p9' });
    const state = folded(asked(pins), page(pins, [item(1, { pinned: true })]), reset);
    expect(texts(state, pins)).toEqual(['text 1']);
    expect(state.listings.get('pins')?.reading).toEqual({ status: 'loading' });
    expect(texts(fold(state, page(pins, [])), pins)).toEqual(['text 1']);
    expect(texts(fold(state, { ...page(pins, []), generation: 1 } as Change), pins)).toEqual([]);
  });
});
