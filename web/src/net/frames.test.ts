import { describe, expect, it } from 'vitest';
import { decodeFrames, MalformedFrames, type ServerFrame } from './frames.ts';

const block = { type: 'block', seq: 7, position: 'p7', user: 'bob', blocked: true, id: 'i', at: 't' };

describe('a block frame', () => {
  it('cmd7_is_read_as_it_is_written', () => {
    const both = [block, { ...block, seq: 8, position: 'p8', blocked: false }];
    expect(decodeFrames(both.map((frame) => JSON.stringify(frame)).join('\n'))).toEqual(both);
  });

  it('frm2_is_not_guessed_where_it_does_not_say_which_of_the_two_it_is', () => {
    const vague = JSON.stringify({ ...block, blocked: 'yes' });
    expect(() => decodeFrames(vague)).toThrow(MalformedFrames);
  });
});

describe('frames of rooms', () => {
  const of = { position: 'p7', conversation: 'c', at: 't' };
  const read = (frame: object): ServerFrame | undefined => decodeFrames(JSON.stringify(frame))[0];

  it('evt1_a_message_says_what_it_answers_in_which_thread_and_whom_it_mentions', () => {
    const message = { type: 'message', seq: 7, sender: 'bob', id: 'i', text: 'hi', ...of };
    expect(read({ ...message, mentions: [] })).toMatchObject({
      ...{ replyTo: null, thread: null, mentions: [], mentionsRoom: false },
    });
    expect(
      read({ ...message, reply_to: 3, thread: 2, mentions: ['alice'], mentions_room: true }),
    ).toMatchObject({ replyTo: 3, thread: 2, mentions: ['alice'], mentionsRoom: true });
  });

  it('frm2_a_change_of_a_later_server_is_a_change_and_a_pin_of_one_is_passed_over', () => {
    const member = { type: 'member', seq: 7, user: 'cy', change: 'knighted', by: 'bob', ...of };
    expect(read(member)).toMatchObject({ change: 'knighted', id: '' });
    const pin = { type: 'pin', seq: 7, message: 3, by: 'bob', id: 'i', op: 'twice', ...of };
    expect(read(pin)).toEqual({ type: 'other', name: 'pin', position: 'p7' });
  });

  it('frm2_a_room_of_a_later_kind_is_not_shown_as_public', () => {
    const room = {
      type: 'room',
      seq: 7,
      name: 'Lobby',
      visibility: 'secret',
      archived: false,
      by: 'bob',
      ...of,
    };
    expect(read(room)).toMatchObject({ name: 'Lobby', topic: '', visibility: 'private', archived: false });
    expect(() => read({ ...room, name: 5 })).toThrow(MalformedFrames);
  });

  it('evt1_a_marker_says_of_which_thread_it_is_and_a_profile_how_somebody_is_shown', () => {
    const marker = { type: 'marker', seq: 7, user: 'bob', read: 5, ...of };
    expect(read(marker)).toMatchObject({ thread: null });
    expect(read({ ...marker, thread: 3 })).toMatchObject({ thread: 3 });
    const shown = { type: 'profile', user: 'bob', displayName: 'bob' };
    expect(read({ type: 'profile', user: 'bob', display_name: '', at: 't' })).toEqual(shown);
  });

  it('evt1_a_room_has_owners_and_a_member_a_role', () => {
    const room = {
      type: 'room',
      seq: 7,
      name: 'Lobby',
      visibility: 'public',
      archived: false,
      by: 'bob',
      ...of,
    };
    expect(read({ ...room, owners: ['bob', 'cy'] })).toMatchObject({ owners: ['bob', 'cy'] });
    const member = { type: 'member', seq: 7, user: 'cy', change: 'role', by: 'bob', ...of };
    expect(read({ ...member, role: 'moderator' })).toMatchObject({ role: 'moderator' });
    expect(read({ ...member, role: 'queen' })).toMatchObject({ role: 'member' });
    expect(read(member)).not.toHaveProperty('role');
  });

  it('evt1_preferences_are_all_four_and_a_status_has_a_text', () => {
    const preferences = { muted: true, starred: true, hidden: false, notify: 'mentions' };
    expect(read({ type: 'preferences', seq: 7, id: 'i', ...of, ...preferences })).toMatchObject(preferences);
    const presence = { type: 'presence', user: 'bob', status: 'busy', text: 'in a meeting' };
    expect(read(presence)).toEqual(presence);
  });
});

describe('frames of the session', () => {
  const read = (frame: object): ServerFrame | undefined => decodeFrames(JSON.stringify(frame))[0];

  it('con3_a_welcome_tells_the_limits', () => {
    const limits = { frame_bytes: 1, text_chars: 2, metadata_bytes: 3, participants: 4, watched_users: 5 };
    const welcome = { type: 'welcome', user: 'ada', session: 's', gateway: 'g', now: 't', position: 'p' };
    expect(
      read({ ...welcome, heartbeat_ms: 9, limits: { ...limits, messages: 6, messages_window_ms: 7 } }),
    ).toMatchObject({ heartbeatMs: 9, limits: { textChars: 2, messagesWindowMs: 7 } });
  });

  it('cmd4_an_ok_tells_who_was_refused', () => {
    expect(read({ type: 'ok', ref: 1, refused: ['bob'] })).toEqual({
      ...{ type: 'ok', ref: 1, duplicate: false, refused: ['bob'] },
    });
  });

  it('frm2_a_type_that_is_not_known_is_passed_over_with_its_position', () => {
    expect(read({ type: 'parade', position: 'p9' })).toEqual({
      type: 'other',
      name: 'parade',
      position: 'p9',
    });
    expect(read({ type: 'toString' })).toMatchObject({ type: 'other', name: 'toString' });
  });
});
