import { describe, expect, it } from 'vitest';
import { decodeFrames } from '../net/frames.ts';
import { messageItem } from '../net/wire/decode/messages.ts';
import { conversationItem } from '../net/wire/decode/rooms.ts';
import { receiptOf } from './conversation.ts';
import { type Change, fold } from './fold.ts';
import { initialState, keyOf, roomKey, type State } from './state.ts';
import { answered, emptyTimeline, newestOf } from './timeline.ts';
import { mentionCount, unreadCount } from './unread.ts';

const ME = 'alice';
const R = 'room-1';
const KEY = roomKey(R);
const at = (seq: number) => new Date(Date.parse('2026-05-01T12:00:00Z') + seq * 1000).toISOString();
const OF = (seq: number) => ({ seq, position: `p${seq}`, conversation: R, id: `id-${seq}`, at: at(seq) });

/** A frame as it is on the wire. */
const frame = (of: object): Change => {
  const [decoded] = decodeFrames(JSON.stringify(of));
  if (decoded === undefined) throw new Error('no frame');
  return { type: 'frame', frame: decoded, now: 0 };
};
const message = (seq: number, fields: object = {}): Change =>
  frame({ type: 'message', sender: 'bob', text: `text ${seq}`, mentions: [], ...OF(seq), ...fields });
const member = (seq: number, user: string, change: string, by = user): Change =>
  frame({ type: 'member', user, change, by, ...OF(seq) });
const room = (seq: number, fields: object = {}): Change =>
  frame({
    ...{ type: 'room', name: 'Lobby', visibility: 'public', archived: false, owners: ['bob'], by: 'bob' },
    ...OF(seq),
    ...fields,
  });
const item = (seq: number, fields: object = {}) => ({
  ...{ seq, conversation: R, sender: 'bob', id: `id-${seq}`, text: `text ${seq}`, at: at(seq) },
  ...fields,
});
const row = (fields: object = {}, facts: object = {}): Change => ({
  type: 'row',
  generation: 0,
  item: conversationItem(
    {
      ...{ conversation: R, kind: 'room', participants: [], last_message: null, last_activity: at(0) },
      ...{ unread: 0, mentions: 0, read: 0, markers: [] },
      room: {
        ...{ conversation: R, name: 'Lobby', visibility: 'public', archived: false, owners: ['bob'] },
        ...{ members: 2, role: 'member', ...facts },
      },
      ...fields,
    },
    'row',
  ),
});
const folded = (...changes: Change[]): State => changes.reduce(fold, initialState(ME));
const held = (state: State) => {
  const conversation = state.conversations.get(R);
  if (conversation === undefined) throw new Error('the room is not there');
  return conversation;
};
const line = (state: State) => state.timelines.get(R) ?? emptyTimeline(R);
const messagesIn = (state: State) => newestOf(line(state))?.messages ?? [];
const seqs = (state: State) => messagesIn(state).map(({ seq }) => seq);
const newestPage = (...items: object[]): Change => ({
  ...{ type: 'messages_page', generation: 0, key: KEY, participants: [], thread: null },
  place: { at: 'newest' },
  page: { items: items.map((one) => messageItem(one, 'message')), next: null, position: 'p' },
});
const unread = (state: State) => [unreadCount(held(state), ME), mentionCount(held(state), ME)];

describe('a room', () => {
  it('is_known_by_its_id_and_what_it_is_called', () => {
    const state = folded(row(), message(5));
    expect(held(state)).toMatchObject({ kind: 'room', room: { name: 'Lobby', archived: false } });
    expect(keyOf(held(state))).toBe(KEY);
    expect(state.unknown).toEqual([]);
    expect([...state.direct]).toEqual([]);
  });

  it('evt4_how_far_others_have_come_is_nobodys_to_know', () => {
    const state = folded(row(), message(5, { sender: ME }));
    expect(receiptOf(held(state), 5, ME)).toBe('sent');
  });

  it('con5_is_called_the_same_whether_a_page_came_before_the_frame_or_after_it', () => {
    const renamed = room(6, { name: 'Hall', topic: 'Hats', archived: true });
    for (const state of [folded(row(), renamed), folded(renamed, row()), folded(row(), renamed, row())]) {
      expect(held(state).room).toMatchObject({
        name: 'Hall',
        topic: 'Hats',
        visibility: 'public',
        archived: true,
      });
    }
    const before = folded(row(), renamed);
    expect(fold(before, renamed)).toBe(before);
  });

  it('evt1_has_the_owners_and_the_role_of_the_last_word', () => {
    const promoted = frame({
      type: 'member',
      user: ME,
      change: 'role',
      role: 'moderator',
      by: 'bob',
      ...OF(6),
    });
    const handedOver = room(7, { owners: [ME] });
    for (const state of [folded(row(), promoted, handedOver), folded(promoted, handedOver, row())]) {
      expect(held(state)).toMatchObject({ role: 'moderator', room: { owners: [ME] } });
    }
    expect(held(folded(row())).role).toBe('member');
  });

  it('con5_is_muted_whether_a_page_came_before_the_frame_or_after_it', () => {
    const preferences = (muted: boolean, seq = 7) => frame({ type: 'preferences', muted, ...OF(seq) });
    expect(held(folded(row({ preferences: { muted: true } }))).preferences.muted).toBe(true);
    expect(held(folded(row(), preferences(true))).preferences.muted).toBe(true);
    expect(held(folded(preferences(true), row())).preferences.muted).toBe(true);
    expect(held(folded(row(), preferences(true), preferences(false, 8))).preferences.muted).toBe(false);
  });
});

describe('who comes and goes', () => {
  it.each(['left', 'removed', 'banned'] as const)(
    'evt3_who_has_%s_has_the_room_no_more_and_nothing_late_brings_it_back',
    (change) => {
      const state = folded(row(), message(5), member(6, ME, change, 'bob'));
      expect(state.conversations.has(R)).toBe(false);
      expect(state.gone.get(R)).toEqual({ name: 'Lobby', visibility: 'public', change, by: 'bob' });
      const late = [
        row(),
        message(5),
        frame({ type: 'marker', user: ME, read: 5, ...OF(7) }),
        newestPage(),
      ].reduce(fold, state);
      expect(late.conversations.has(R)).toBe(false);
      expect(late.readings.has(KEY)).toBe(false);
    },
  );

  it('evt3_who_comes_back_begins_anew_with_what_history_tells', () => {
    const state = folded(
      row(),
      room(5, { name: 'Hall' }),
      member(6, ME, 'left'),
      member(9, ME, 'joined', 'bob'),
    );
    expect(state.gone.has(R)).toBe(false);
    expect(state.minPosition).toBe('p9');
    // It was renamed while one was away: the frame of before is no news.
    expect(held(fold(state, row({}, { name: 'Salon' }))).room?.name).toBe('Salon');
  });

  it('evt2_the_ok_of_a_command_is_the_event', () => {
    const entered = { type: 'entered', conversation: R, id: 'mine', position: 'p5' } as const;
    const state = folded({ ...entered, refused: ['cy'] }, row());
    expect(state.entered).toEqual({ id: 'mine', conversation: R, refused: ['cy'] });
    expect(fold(state, { type: 'left', conversation: R }).gone.get(R)?.change).toBe('left');
  });

  it('con3_ones_own_event_tells_which_command_it_was', () => {
    expect(folded(member(5, ME, 'joined')).entered).toEqual({ id: 'id-5', conversation: R, refused: [] });
    expect(folded(member(5, ME, 'joined', 'bob')).entered).toBeNull();
    expect(folded(room(5, { by: ME })).entered).toEqual({ id: 'id-5', conversation: R, refused: [] });
  });

  it('is_told_in_lines_once_and_only_of_what_people_see', () => {
    const changes = [
      member(5, 'cy', 'joined'),
      member(6, 'cy', 'role', 'bob'),
      member(7, 'cy', 'removed', 'bob'),
      room(8, { topic: 'Hats' }),
      room(9, { name: 'Hall' }),
      room(10, { name: 'Hall', archived: true }),
    ];
    const state = folded(row(), ...changes, ...changes);
    expect(held(state).notices.map(({ seq, what }) => `${seq} ${what}`)).toEqual([
      '5 joined',
      '7 removed',
      '9 renamed',
      '10 archived',
    ]);
  });

  it('remembers_a_bounded_number_of_all_that', () => {
    const many = Array.from({ length: 600 }, (_, n) => [
      member(2 * n + 1, `user-${n}`, 'joined'),
      room(2 * n + 2, { name: `Name ${n}` }),
    ]).flat();
    const rooms = Array.from({ length: 300 }, (_, n) =>
      frame({ type: 'member', user: ME, change: 'left', by: ME, ...OF(2_000 + n), conversation: `r${n}` }),
    );
    const state = folded(row(), ...many, ...rooms);
    expect([held(state).notices.length, state.told.length, state.gone.size]).toEqual([50, 500, 200]);
    expect(state.gone.has('r299')).toBe(true);
  });
});

describe('mentions', () => {
  it('evt1_a_message_that_names_me_or_everybody_counts_until_it_is_read', () => {
    const state = folded(
      row(),
      message(5, { mentions: ['cy'] }),
      message(6, { mentions: ['cy', ME] }),
      message(7, { mentions_room: true }),
    );
    expect(unread(state)).toEqual([3, 2]);
    expect(unread(fold(state, { type: 'read', conversation: R, seq: 6 }))).toEqual([1, 1]);
    expect(unread(fold(state, { type: 'read', conversation: R, seq: 7 }))).toEqual([0, 0]);
  });

  it('hst3_those_that_history_counted_are_less_by_what_was_read_since', () => {
    const last = item(9, { mentions: [ME] });
    const counted = row({ last_message: last, unread: 4, mentions: 2, read: 3 });
    const state = folded(counted, message(10, { mentions: [ME] }));
    expect(unread(state)).toEqual([5, 3]);
    expect(unread(fold(state, { type: 'read', conversation: R, seq: 10 }))).toEqual([0, 0]);
  });

  it('those_in_threads_stay_when_the_conversation_is_read', () => {
    const last = item(9, { mentions: [ME] });
    const state = folded(row({ last_message: last, unread: 1, mentions: 2, read: 8 }));
    expect(unread(state)).toEqual([1, 2]);
    expect(unread(fold(state, { type: 'read', conversation: R, seq: 9 }))).toEqual([0, 1]);
    // What is read in threads is counted again by history.
    expect(unread(folded(row({ last_message: last, unread: 0, mentions: 0, read: 9 })))).toEqual([0, 0]);
  });
});

describe('threads', () => {
  const replies = (state: State, seq = 5) => messagesIn(state).find((one) => one.seq === seq)?.replies;

  it('evt1_what_is_said_in_one_is_no_message_of_the_conversation_and_reads_nothing', () => {
    const state = folded(
      row(),
      message(5),
      message(6, { thread: 5, mentions: [ME] }),
      message(7, { thread: 5, sender: ME }),
    );
    expect(seqs(state)).toEqual([5]);
    expect(unread(state)).toEqual([1, 0]);
    expect(held(state).read.get(ME)).toBeUndefined();
    expect(replies(state)).toMatchObject({ count: 2, lastAt: at(7) });
  });

  it('evt1_reading_one_reads_not_the_conversation', () => {
    const marker = (thread: object) => frame({ type: 'marker', user: ME, read: 6, ...OF(8), ...thread });
    const state = folded(row(), message(5), message(6, { thread: 5 }));
    expect(unread(fold(state, marker({ thread: 5 })))).toEqual([1, 0]);
    expect(unread(fold(state, marker({})))).toEqual([0, 0]);
  });

  it('con5_what_a_page_counted_is_not_counted_again', () => {
    const page = (count: number, last: number): Change =>
      newestPage(item(5, { replies: { count, last_at: at(last) } }));
    const said = [message(7, { thread: 5 }), message(8, { thread: 5 })];
    for (const [n, last] of [
      [1, 6],
      [2, 7],
      [3, 8],
    ] as const) {
      expect(replies(folded(row(), ...said, page(n, last))), `up to ${last}`).toMatchObject({ count: 3 });
    }
    expect(replies(folded(row(), page(1, 6), ...said, ...said))).toMatchObject({ count: 3, lastAt: at(8) });
    // The page is ahead of the frames.
    expect(replies(folded(row(), page(2, 7), ...said))).toMatchObject({ count: 3, lastAt: at(8) });
  });

  it('evt1_two_that_were_said_at_the_same_moment_are_two', () => {
    const twins = [message(6, { thread: 5 }), message(7, { thread: 5, at: at(6) })];
    expect(replies(folded(row(), message(5), ...twins))).toMatchObject({ count: 2 });
  });

  it('evt1_goes_on_when_the_message_it_began_with_is_deleted', () => {
    const deleted = frame({ type: 'deleted', message: 5, by: 'bob', ...OF(7) });
    const state = folded(row(), message(5), message(6, { thread: 5 }), deleted, message(8, { thread: 5 }));
    expect(replies(state)).toMatchObject({ count: 2 });
  });
});

describe('an answer', () => {
  const reply = (state: State, seq: number) => {
    const found = messagesIn(state).find((one) => one.seq === seq);
    return found === undefined ? undefined : answered(line(state), found);
  };
  const edited = frame({ type: 'edited', message: 5, by: 'bob', text: 'other', ...OF(8) });
  const deleted = frame({ type: 'deleted', message: 5, by: 'bob', ...OF(9) });

  it('hst3_shows_the_beginning_of_what_it_answers_as_that_now_stands', () => {
    const state = folded(row(), message(5, { text: '🎩'.repeat(300) }), message(6, { reply_to: 5 }));
    expect(reply(state, 6)).toMatchObject({ sender: 'bob', text: '🎩'.repeat(200), deleted: false });
    expect(reply(fold(state, edited), 6)).toMatchObject({ text: 'other' });
    expect(reply([edited, deleted].reduce(fold, state), 6)).toMatchObject({ text: '', deleted: true });
    expect(reply(folded(row(), message(6, { reply_to: 5 })), 6)).toBeNull();
  });

  it('con5_of_what_is_not_here_it_shows_what_history_told_and_what_happened_since', () => {
    const told = { seq: 5, sender: 'bob', text: 'text 5' };
    const page = newestPage(item(6, { reply_to: 5, reply: told }));
    for (const changes of [
      [page, edited],
      [edited, page],
      [message(6, { reply_to: 5 }), edited, page],
    ])
      expect(reply(folded(row(), ...changes), 6)).toMatchObject({ text: 'other' });
    for (const changes of [
      [page, deleted, edited],
      [deleted, page],
    ])
      expect(reply(folded(row(), ...changes), 6)).toMatchObject({ text: '', deleted: true });
  });
});

describe('pins and profiles', () => {
  it('evt1_a_message_is_pinned_or_not_as_the_last_one_says_and_a_deleted_one_is_not', () => {
    const pin = (seq: number, op: string) => frame({ type: 'pin', message: 5, by: 'bob', op, ...OF(seq) });
    const pinned = (...changes: Change[]) => messagesIn(folded(row(), message(5), ...changes))[0]?.pinned;
    expect(pinned(pin(6, 'add'))).toBe(true);
    expect(pinned(pin(6, 'add'), pin(7, 'remove'))).toBe(false);
    expect(pinned(pin(6, 'add'), frame({ type: 'deleted', message: 5, by: 'bob', ...OF(7) }))).toBe(false);
  });

  it('evt4_somebody_is_called_what_they_said_last', () => {
    const profile = (display_name: string) =>
      frame({ type: 'profile', user: 'bob', display_name, at: at(1) });
    const state = folded(profile('Bob B.'));
    expect(state.names.get('bob')).toBe('Bob B.');
    expect(fold(state, profile('')).names.get('bob')).toBe('bob');
  });
});
