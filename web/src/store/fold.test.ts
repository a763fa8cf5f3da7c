import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ConversationItem,
  type MessageItem,
  NO_PREFERENCES,
  type Page,
  type ServerFrame,
} from '../net/frames.ts';
import { receiptOf } from './conversation.ts';
import { type Change, fold, TYPING_MS } from './fold.ts';
import { KEPT_MESSAGES } from './segments.ts';
import { directKey, initialState, type State } from './state.ts';
import { newestOf } from './timeline.ts';
import { unreadCount } from './unread.ts';

const ME = 'alice';
const BOB = 'bob';
const C = 'conversation-1';
const KEY = directKey([ME, BOB]);
const NOW = Date.parse('2026-05-01T12:00:00Z');
const at = (seq: number) => new Date(NOW + seq * 1000).toISOString();

const item = (seq: number, sender = BOB): MessageItem => ({
  seq,
  conversation: C,
  sender,
  id: `id-${seq}`,
  text: `text ${seq}`,
  at: at(seq),
  editedAt: null,
  deleted: false,
  reactions: [],
  replyTo: null,
  reply: null,
  thread: null,
  replies: null,
  mentions: [],
  mentionsRoom: false,
  pinned: false,
});
const frame = (of: ServerFrame): Change => ({ type: 'frame', frame: of, now: NOW });
const message = (seq: number, sender = BOB): Change =>
  frame({ type: 'message', position: `p${seq}`, participants: [ME, BOB], ...item(seq, sender) });
const marker = (user: string, read: number): Change =>
  frame({
    type: 'marker',
    seq: 10_000 + read,
    position: 'p',
    conversation: C,
    user,
    read,
    thread: null,
    at: at(read),
  });
const reset = (position = 'p0'): Change => frame({ type: 'reset', reason: 'fresh', position });
const page = <T>(items: T[], next: string | null = null): Page<T> => ({ items, next, position: 'p' });
const listPage = (generation: number, row: Partial<ConversationItem>): Change => ({
  type: 'list_page',
  generation,
  page: page([
    {
      conversation: C,
      kind: 'direct',
      participants: [ME, BOB],
      lastMessage: null,
      unread: 0,
      mentions: 0,
      read: 0,
      markers: [],
      lastActivity: at(0),
      preferences: NO_PREFERENCES,
      room: null,
      ...row,
    },
  ]),
});
const messagesPage = (
  generation: number,
  items: MessageItem[],
  before: number | null,
  next: string | null,
): Change => ({
  type: 'messages_page',
  generation,
  key: KEY,
  participants: [ME, BOB],
  thread: null,
  place: before === null ? { at: 'newest' } : { at: 'before', seq: before },
  page: page(items, next),
});
const folded = (...changes: Change[]): State => changes.reduce(fold, initialState(ME));
const held = (state: State) => {
  const conversation = state.conversations.get(C);
  if (conversation === undefined) throw new Error('the conversation is not there');
  return conversation;
};
const newest = (state: State) => {
  const timeline = state.timelines.get(C);
  return timeline && newestOf(timeline);
};
const seqs = (state: State) => newest(state)?.messages.map(({ seq }) => seq) ?? [];

describe('messages', () => {
  it('evt1_are_kept_by_seq_and_taken_in_once', () => {
    const state = folded(reset(), message(3), message(1), message(3), message(2));
    expect(seqs(state)).toEqual([1, 2, 3]);
    expect(fold(state, message(2))).toBe(state);
  });

  it('a_direct_conversation_is_found_by_its_people_in_any_order', () => {
    const state = folded(reset(), message(1));
    expect(state.direct.get(directKey([BOB, ME, BOB]))).toBe(C);
  });

  it('the_ok_of_a_send_and_the_event_of_another_device_are_one_message', () => {
    const sent: Change = {
      type: 'sent',
      conversation: C,
      participants: [ME, BOB],
      thread: null,
      message: item(4, ME),
      live: true,
    };
    expect(seqs(folded(reset(), sent, message(4, ME)))).toEqual([4]);
    expect(seqs(folded(reset(), message(4, ME), sent))).toEqual([4]);
  });

  it('one_whose_people_nobody_named_waits_for_the_list', () => {
    const unnamed = frame({ type: 'message', position: 'p', ...item(1) });
    const state = folded(reset(), unnamed);
    expect(state.unknown).toEqual([C]);
    expect(state.direct.size).toBe(0);
    const explained = fold(state, listPage(1, { lastMessage: item(1), unread: 1 }));
    expect(explained.direct.get(KEY)).toBe(C);
    expect(unreadCount(held(explained), ME)).toBe(1);
  });

  it('frm2_a_kind_or_frame_of_later_versions_changes_nothing_here', () => {
    const state = folded(reset(), message(1));
    expect(fold(state, frame({ type: 'other', name: 'pinned', position: 'p9' }))).toBe(state);
    const room = fold(state, listPage(1, { conversation: 'room', kind: 'room', participants: [] }));
    expect([...room.direct.values()]).toEqual([C]);
  });

  it('a_handle_that_is_a_word_of_the_language_is_a_handle_like_any', () => {
    const state = folded(reset(), marker('constructor', 1), message(5, 'constructor'));
    expect(unreadCount(held(state), ME)).toBe(1);
    expect(held(state).read.get('constructor')).toBe(5);
  });
});

describe('pages', () => {
  it('con5_a_page_and_the_events_it_already_has_give_each_message_once', () => {
    const state = folded(
      reset(),
      message(8),
      messagesPage(1, [item(7), item(8), item(9)], null, 'more'),
      message(9),
    );
    expect(seqs(state)).toEqual([7, 8, 9]);
    expect(newest(state)?.older).toBe(true);
    expect(state.readings.get(KEY)).toEqual({ status: 'done' });
  });

  it('con5_an_answer_to_a_question_from_before_a_reset_is_not_taken_in', () => {
    const state = folded(reset('p0'), reset('p1'));
    expect(state.generation).toBe(2);
    for (const late of [listPage(1, { lastMessage: item(1) }), messagesPage(1, [item(1)], null, null)]) {
      expect(fold(state, late)).toBe(state);
    }
  });

  it('con3_a_reset_drops_what_was_cached_and_keeps_what_is_on_the_screen', () => {
    const opened: Change = { type: 'opened', key: KEY };
    const state = folded(reset(), opened, message(1), message(2), reset('p7'));
    expect(state.conversations.size).toBe(0);
    expect(state.readings.size).toBe(0);
    expect(state.open).toBe(KEY);
    expect(state.minPosition).toBe('p7');
    expect(state.list).toEqual({ status: 'loading' });
  });

  it('an_older_page_joins_only_where_it_was_asked_for', () => {
    const state = folded(reset(), messagesPage(1, [item(10), item(11)], null, 'more'));
    expect(seqs(fold(state, messagesPage(1, [item(8), item(9)], 10, null)))).toEqual([8, 9, 10, 11]);
    expect(seqs(fold(state, messagesPage(1, [item(2), item(3)], 4, null)))).toEqual([10, 11]);
  });

  it('an_empty_page_says_that_they_have_not_spoken', () => {
    const state = folded(reset(), messagesPage(1, [], null, null));
    expect(state.conversations.size).toBe(0);
    expect(state.readings.get(KEY)).toEqual({ status: 'done' });
  });

  it('a_conversation_off_the_screen_is_bounded_and_its_unread_count_stays_right', () => {
    const many = Array.from({ length: 3 * KEPT_MESSAGES }, (_, index) => message(index + 1));
    const state = folded(reset(), ...many);
    expect(seqs(state).length).toBeLessThanOrEqual(2 * KEPT_MESSAGES);
    expect(unreadCount(held(state), ME)).toBe(3 * KEPT_MESSAGES);
    expect(newest(state)?.older).toBe(true);
    const read = fold(state, { type: 'read', conversation: C, seq: 3 * KEPT_MESSAGES - 2 });
    expect(unreadCount(held(read), ME)).toBe(2);
  });

  it('a_conversation_that_leaves_the_screen_is_trimmed_to_its_newest', () => {
    const open: Change = { type: 'opened', key: KEY };
    const many = Array.from({ length: 3 * KEPT_MESSAGES }, (_, index) => message(index + 1));
    const state = folded(reset(), open, ...many);
    expect(seqs(state)).toHaveLength(3 * KEPT_MESSAGES);
    const left = fold(state, { type: 'opened', key: null });
    expect(seqs(left)).toHaveLength(KEPT_MESSAGES);
    expect(seqs(left).at(-1)).toBe(3 * KEPT_MESSAGES);
  });
});

describe('markers', () => {
  it('read_never_goes_back', () => {
    expect(held(folded(reset(), message(1), marker(ME, 9), marker(ME, 4))).read.get(ME)).toBe(9);
  });

  it('sending_reads_up_to_itself', () => {
    expect(unreadCount(held(folded(reset(), message(1), message(2), message(3, ME), message(4))), ME)).toBe(
      1,
    );
  });

  it('unread_counts_on_from_the_snapshot', () => {
    const row = listPage(1, { lastMessage: item(20), read: 10, unread: 7 });
    const state = folded(reset(), row, message(21), message(22));
    expect(unreadCount(held(state), ME)).toBe(9);
    expect(unreadCount(held(fold(state, marker(ME, 21))), ME)).toBe(1);
    expect(unreadCount(held(fold(state, marker(ME, 22))), ME)).toBe(0);
  });

  it('a_snapshot_that_already_counts_an_event_does_not_count_it_twice', () => {
    const row = listPage(1, { lastMessage: item(21), read: 10, unread: 8 });
    expect(unreadCount(held(folded(reset(), message(21), row)), ME)).toBe(8);
    expect(unreadCount(held(folded(reset(), row, message(21))), ME)).toBe(8);
  });

  it('receipts_go_from_sent_to_delivered_to_read', () => {
    const sent = folded(reset(), message(1, ME));
    expect(receiptOf(held(sent), 1, ME)).toBe('sent');
    const delivered = fold(sent, frame({ type: 'delivered', conversation: C, user: BOB, upto: 1 }));
    expect(receiptOf(held(delivered), 1, ME)).toBe('delivered');
    expect(receiptOf(held(fold(delivered, marker(BOB, 1))), 1, ME)).toBe('read');
    const row = listPage(1, { lastMessage: item(1, ME), markers: [{ user: BOB, read: 0, delivered: 1 }] });
    expect(receiptOf(held(folded(reset(), row)), 1, ME)).toBe('delivered');
  });
});

describe('what only a live session knows', () => {
  it('who_went_offline_types_no_more', () => {
    const typing = frame({ type: 'typing', conversation: C, user: BOB });
    const gone = frame({
      type: 'presence',
      user: BOB,
      status: 'offline',
      lastSeen: '2026-05-01T12:00:00.000Z',
    });
    const there = frame({ type: 'presence', user: BOB, status: 'away' });
    expect(folded(reset(), message(1), typing, there).typing.get(C)?.has(BOB)).toBe(true);
    expect(folded(reset(), message(1), typing, gone).typing.get(C)?.has(BOB)).toBe(false);
  });

  it('typing_ends_after_5_s_or_with_a_message', () => {
    const typing = frame({ type: 'typing', conversation: C, user: BOB });
    const state = folded(reset(), message(1), typing);
    expect(state.typing.get(C)?.has(BOB)).toBe(true);
    expect(fold(state, { type: 'tick', now: NOW + TYPING_MS - 1 })).toBe(state);
    expect(fold(state, { type: 'tick', now: NOW + TYPING_MS }).typing.size).toBe(0);
    expect(fold(state, message(2)).typing.get(C)?.has(BOB)).toBe(false);
  });

  it('presence_is_unknown_once_the_session_is_gone', () => {
    const state = folded(reset(), frame({ type: 'presence', user: BOB, status: 'online' }));
    expect(state.presence.get(BOB)?.status).toBe('online');
    expect(fold(state, { type: 'disconnected' }).presence.size).toBe(0);
  });
});

/**
 * A history of messages and of my own reading is drawn. Frames of what came after the reset arrive with repeats,
 * and pages read at any moment after it arrive whenever they like. What comes out is always the same.
 */
describe('con5_any_order', () => {
  interface Fact {
    seq: number;
    sender: string;
    /** Null for a message; else where my marker goes. */
    read: number | null;
  }
  const drawn = fc
    .array(fc.record({ mine: fc.boolean(), marks: fc.boolean() }), { minLength: 1, maxLength: 40 })
    .map((draws): Fact[] =>
      draws.map(({ mine, marks }, index) => ({
        seq: index + 1,
        sender: mine ? ME : BOB,
        read: marks && index > 0 ? index : null,
      })),
    );

  const messagesOf = (facts: Fact[]) => facts.filter(({ read }) => read === null);
  const readOf = (facts: Fact[]) =>
    Math.max(0, ...facts.map(({ seq, sender, read }) => read ?? (sender === ME ? seq : 0)));
  const unreadOf = (facts: Fact[]) =>
    messagesOf(facts).filter(({ seq, sender }) => sender !== ME && seq > readOf(facts)).length;

  const row = (facts: Fact[]): Change => {
    const last = messagesOf(facts).at(-1);
    return listPage(1, {
      lastMessage: last === undefined ? null : item(last.seq, last.sender),
      read: readOf(facts),
      unread: unreadOf(facts),
      lastActivity: at(last?.seq ?? 0),
    });
  };
  const newestPage = (facts: Fact[]): Change =>
    messagesPage(
      1,
      messagesOf(facts).map(({ seq, sender }) => item(seq, sender)),
      null,
      null,
    );
  const live = ({ seq, sender, read }: Fact): Change =>
    read === null ? message(seq, sender) : marker(ME, read);

  it('of_frames_pages_and_repeats_gives_the_same_messages_and_the_same_count', () => {
    fc.assert(
      fc.property(
        drawn,
        fc.nat(),
        fc.array(fc.nat(), { maxLength: 6 }),
        fc.infiniteStream(fc.nat()),
        (facts, cut, reads, shuffle) => {
          const from = cut % (facts.length + 1);
          const moments = reads.map((read) => from + (read % (facts.length - from + 1)));
          const changes: Change[] = [
            ...facts.slice(from).map(live),
            ...facts.slice(from).map(live),
            row(facts.slice(0, moments[0] ?? from)),
            newestPage(facts.slice(0, moments[1] ?? from)),
            ...moments.map((moment) => row(facts.slice(0, moment))),
            ...moments.map((moment) => newestPage(facts.slice(0, moment))),
          ];
          const order = changes.map((change) => ({ change, key: shuffle.next().value ?? 0 }));
          order.sort((a, b) => a.key - b.key);
          const state = folded(reset(), ...order.map(({ change }) => change));
          expect(seqs(state)).toEqual(messagesOf(facts).map(({ seq }) => seq));
          expect(unreadCount(held(state), ME)).toBe(unreadOf(facts));
          expect(held(state).read.get(ME) ?? 0).toBe(readOf(facts));
        },
      ),
      { numRuns: 500 },
    );
  });
});
