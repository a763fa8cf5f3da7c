import { describe, expect, it } from 'vitest';
import { NO_PREFERENCES, type ServerFrame } from '../frames.ts';
import { reduce } from './reduce.ts';
import { type Connection, type ConnectionEvent, type Effect, initialConnection } from './state.ts';

const NOW = 1_000_000;
const HEARTBEAT_MS = 25_000;

/** Plays events one after another, and remembers what was asked for at each. */
class Play {
  connection: Connection = initialConnection;
  effects: readonly Effect[] = [];
  now = NOW;
  random = 0.5;

  take(event: ConnectionEvent): this {
    [this.connection, this.effects] = reduce(this.connection, event, { now: this.now, random: this.random });
    return this;
  }
  frame(frame: ServerFrame): this {
    return this.take({ type: 'frame', frame });
  }
  later(ms: number): this {
    this.now += ms;
    return this;
  }
  get phase() {
    return this.connection.phase;
  }
  get sent() {
    return this.effects.flatMap((effect) => (effect.do === 'send' ? [effect.frame] : []));
  }
  get asked() {
    return this.effects.map((effect) => effect.do);
  }
  timer(name: string): number | undefined {
    return this.effects.flatMap((e) => (e.do === 'set_timer' && e.name === name ? [e.ms] : [])).at(-1);
  }
}

const token = (expiresInMs = 900_000) => ({ value: 'jwt', expiresAt: NOW + expiresInMs });
const welcome: ServerFrame = {
  type: 'welcome',
  user: 'alice',
  session: 's',
  now: '2026-05-01T12:00:00.000Z',
  position: 'p-welcome',
  heartbeatMs: HEARTBEAT_MS,
};
const message = (seq: number): ServerFrame => ({
  type: 'message',
  seq,
  position: `p${seq}`,
  conversation: 'c',
  sender: 'bob',
  id: `id-${seq}`,
  text: 'hi',
  replyTo: null,
  thread: null,
  mentions: [],
  mentionsRoom: false,
  at: '2026-05-01T12:00:00.000Z',
});

const connecting = () => new Play().take({ type: 'token_ready', token: token() }).take({ type: 'start' });
const greeting = () => connecting().take({ type: 'opened' });
const replaying = () => greeting().frame(welcome);
const live = () => replaying().frame({ type: 'reset', reason: 'fresh', position: 'p0' });

describe('getting connected', () => {
  it('con1_hello_is_the_first_frame_and_goes_as_soon_as_the_socket_opens', () => {
    const play = connecting();
    expect(play.asked).toContain('open_socket');
    expect(play.sent).toEqual([]);
    play.take({ type: 'opened' });
    expect(play.sent).toEqual([{ type: 'hello', token: 'jwt', client: 'web/0.1' }]);
    expect(play.phase.name).toBe('greeting');
  });

  it('con1_a_token_is_there_before_the_socket_is_opened', () => {
    const play = new Play().take({ type: 'start' });
    expect(play.asked).toContain('refresh_token');
    expect(play.asked).not.toContain('open_socket');
    play.take({ type: 'token_ready', token: token() });
    expect(play.asked).toContain('open_socket');
  });

  it('con1_a_token_that_is_about_to_end_is_renewed_first', () => {
    const play = new Play().take({ type: 'token_ready', token: token(20_000) }).take({ type: 'start' });
    expect(play.phase).toEqual({ name: 'connecting', step: 'token' });
  });

  it('con1_a_new_token_is_used_however_short_it_lives', () => {
    const play = new Play().take({ type: 'start' }).take({ type: 'token_ready', token: token(20_000) });
    expect(play.asked).toContain('open_socket');
    expect(play.asked).not.toContain('refresh_token');
  });

  it('con1_hello_resumes_from_the_last_position', () => {
    const play = live().frame(message(7)).take({ type: 'closed', code: 1006 });
    play.take({ type: 'timer', name: 'retry' }).take({ type: 'opened' });
    expect(play.sent).toEqual([{ type: 'hello', token: 'jwt', client: 'web/0.1', resume: 'p7' }]);
  });

  it('con3_caught_up_ends_a_replay_and_events_before_it_are_delivered_in_order', () => {
    const play = replaying();
    expect(play.phase.name).toBe('replaying');
    expect(play.frame(message(1)).effects).toContainEqual({ do: 'deliver', frame: message(1) });
    expect(play.phase.name).toBe('replaying');
    play.frame({ type: 'caught_up', position: 'p5' });
    expect(play.phase.name).toBe('live');
    expect(play.connection.resume).toBe('p5');
  });

  it('con3_a_reset_goes_live_at_its_position_and_is_delivered', () => {
    const reset: ServerFrame = { type: 'reset', reason: 'too_old', position: 'p9' };
    const play = replaying().frame(reset);
    expect(play.effects).toContainEqual({ do: 'deliver', frame: reset });
    expect(play.phase.name).toBe('live');
    expect(play.connection.resume).toBe('p9');
  });

  it('con3_anything_but_a_welcome_first_is_no_natter', () => {
    expect(greeting().frame(message(1)).phase.name).toBe('waiting');
    expect(live().frame(welcome).phase.name).toBe('waiting');
  });

  it('con3_a_server_that_does_not_open_or_welcome_is_given_up', () => {
    expect(connecting().take({ type: 'timer', name: 'open' }).phase.name).toBe('waiting');
    const play = greeting();
    expect(play.timer('welcome')).toBe(10_000);
    expect(play.take({ type: 'timer', name: 'welcome' }).phase.name).toBe('waiting');
  });

  it('con4_a_gateway_that_is_behind_is_left_and_the_position_kept', () => {
    const play = live().frame(message(7)).take({ type: 'closed', code: 4003 });
    expect(play.phase.name).toBe('waiting');
    expect(play.connection.resume).toBe('p7');
  });
});

describe('the position to resume from', () => {
  it('evt2_events_and_oks_move_it', () => {
    const play = live().frame(message(3));
    expect(play.connection.resume).toBe('p3');
    play.frame({ type: 'ok', ref: 1, seq: 4, position: 'p4', duplicate: false });
    expect(play.connection.resume).toBe('p4');
    play.frame({
      type: 'marker',
      at: 't',
      seq: 5,
      position: 'p5',
      conversation: 'c',
      user: 'bob',
      read: 3,
      thread: null,
    });
    expect(play.connection.resume).toBe('p5');
  });

  it('evt2_what_is_done_to_messages_and_between_people_moves_it_and_is_reported', () => {
    const of = { conversation: 'c', message: 3, id: 'i', at: 't' };
    for (const frame of [
      { type: 'edited', seq: 6, position: 'p6', by: 'bob', text: 'so', ...of },
      { type: 'reaction', seq: 7, position: 'p7', user: 'bob', emoji: '👍', op: 'add', ...of },
      { type: 'deleted', seq: 8, position: 'p8', by: 'bob', ...of },
      { type: 'block', seq: 9, position: 'p9', user: 'bob', blocked: true, id: 'i', at: 't' },
      { type: 'pin', seq: 10, position: 'p10', by: 'bob', op: 'add', ...of },
      { type: 'preferences', seq: 11, position: 'p11', conversation: 'c', id: 'i', ...NO_PREFERENCES },
      { type: 'profile', position: 'p12', user: 'alice', displayName: 'Alice' },
    ] as const) {
      const play = live().frame(frame);
      expect(play.connection.resume).toBe(frame.position);
      expect(play.sent).toEqual([{ type: 'applied', position: frame.position }]);
    }
  });

  it('evt2_what_happens_to_rooms_moves_it', () => {
    const of = { conversation: 'c', by: 'bob', id: '', at: 't' };
    const facts = { name: 'Lobby', topic: '', visibility: 'public' as const, archived: false, owners: [] };
    const room: ServerFrame = { type: 'room', seq: 6, position: 'p6', ...of, ...facts };
    const member: ServerFrame = {
      type: 'member',
      seq: 7,
      position: 'p7',
      user: 'cy',
      change: 'joined',
      ...of,
    };
    const play = live().frame(room);
    expect(play.connection.resume).toBe('p6');
    expect(play.frame(member).connection.resume).toBe('p7');
  });

  it('evt4_how_others_are_shown_is_of_the_moment', () => {
    const profile: ServerFrame = { type: 'profile', user: 'bob', displayName: 'Bob' };
    expect(live().frame(profile).connection.resume).toBe('p0');
  });

  it('evt2_a_duplicate_ok_does_not_move_it', () => {
    const play = live()
      .frame(message(9))
      .frame({ type: 'ok', ref: 1, seq: 4, position: 'p4', duplicate: true });
    expect(play.connection.resume).toBe('p9');
  });

  it('frm2_an_unknown_event_moves_it_too', () => {
    expect(live().frame({ type: 'other', name: 'reaction', position: 'p6' }).connection.resume).toBe('p6');
    expect(live().frame({ type: 'other', name: 'new_thing' }).connection.resume).toBe('p0');
  });

  it('evt4_ephemeral_events_do_not', () => {
    const play = live()
      .frame({ type: 'typing', conversation: 'c', user: 'bob' })
      .frame({ type: 'presence', user: 'bob', status: 'online' })
      .frame({ type: 'delivered', conversation: 'c', user: 'bob', upto: 3 });
    expect(play.connection.resume).toBe('p0');
  });
});

describe('staying connected', () => {
  it('hrt1_a_ping_is_answered_with_its_position_and_moves_ours', () => {
    const play = live().frame({ type: 'ping', position: 'p20' });
    expect(play.sent).toEqual([{ type: 'pong', position: 'p20' }]);
    expect(play.connection.resume).toBe('p20');
  });

  it('hrt1_no_ping_for_one_and_a_half_intervals_reconnects', () => {
    const play = live();
    expect(play.timer('silence')).toBe(1.5 * HEARTBEAT_MS);
    expect(play.frame({ type: 'ping', position: 'p1' }).timer('silence')).toBe(1.5 * HEARTBEAT_MS);
    // Events do not stand in for pings.
    expect(play.frame(message(2)).timer('silence')).toBeUndefined();
    play.take({ type: 'timer', name: 'silence' });
    expect(play.phase.name).toBe('waiting');
    expect(play.asked).toContain('drop_socket');
  });

  it('hrt3_after_goodbye_it_serves_on_and_leaves_after_the_delay', () => {
    const play = live().frame({ type: 'goodbye', reconnectAfterMs: 3_000 });
    expect(play.phase.name).toBe('live');
    expect(play.timer('leave')).toBe(3_000);
    play.later(3_000).take({ type: 'timer', name: 'leave' });
    expect(play.phase).toEqual({ name: 'connecting', step: 'socket' });
    expect(play.asked).toEqual(['cancel_timers', 'drop_socket', 'open_socket', 'set_timer']);
  });

  it('hrt3_closed_with_4000_before_the_delay_ends_waits_for_the_rest_of_it', () => {
    const play = live().frame({ type: 'goodbye', reconnectAfterMs: 3_000 });
    play.later(1_000).take({ type: 'closed', code: 4000 });
    expect(play.phase).toEqual({ name: 'waiting', retryAt: NOW + 3_000 });
    expect(play.timer('retry')).toBe(2_000);
  });

  it('hrt4_a_token_is_renewed_in_place_before_it_ends', () => {
    const play = live();
    expect(replaying().timer('renew')).toBe(900_000 - 90_000);
    play.take({ type: 'timer', name: 'renew' });
    expect(play.asked).toEqual(['refresh_token']);
    play.take({ type: 'token_ready', token: { value: 'jwt2', expiresAt: play.now + 900_000 } });
    expect(play.sent).toEqual([{ type: 'token', token: 'jwt2' }]);
    expect(play.phase.name).toBe('live');
  });

  it('hrt4_a_renewal_that_fails_for_now_is_tried_again', () => {
    const play = live().take({ type: 'token_failed', retryAfterMs: 12_000 });
    expect(play.phase.name).toBe('live');
    expect(play.timer('renew')).toBe(12_000);
  });

  it('hrt4_a_refused_refresh_logs_out', () => {
    const play = live().take({ type: 'token_denied', reason: { why: 'ended' } });
    expect(play.phase).toEqual({ name: 'logged_out', reason: { why: 'ended' } });
    expect(play.asked).toContain('drop_socket');
  });

  it('hrt5_delays_are_random_and_double_up_to_30_s', () => {
    const play = live().take({ type: 'closed', code: 1006 });
    const delays = [play.timer('retry')];
    for (let attempt = 1; attempt < 8; attempt += 1) {
      play.take({ type: 'timer', name: 'retry' }).take({ type: 'closed', code: 1006 });
      delays.push(play.timer('retry'));
    }
    expect(delays).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    play.random = 0;
    play.take({ type: 'timer', name: 'retry' }).take({ type: 'closed', code: 1006 });
    expect(play.timer('retry')).toBe(0);
  });

  it('hrt5_after_ten_attempts_it_goes_on_every_30_s', () => {
    const play = live().take({ type: 'closed', code: 1006 });
    for (let attempt = 1; attempt <= 11; attempt += 1) {
      play.take({ type: 'timer', name: 'retry' }).take({ type: 'closed', code: 1006 });
    }
    expect(play.timer('retry')).toBe(30_000);
  });

  it('hrt5_only_a_connection_that_lasted_resets_the_attempts', () => {
    const flapping = live();
    flapping.connection = { ...flapping.connection, attempt: 4 };
    expect(flapping.take({ type: 'closed', code: 4001 }).timer('retry')).toBe(8_000);
    const lasting = live();
    lasting.connection = { ...lasting.connection, attempt: 4 };
    expect(lasting.later(20_000).take({ type: 'closed', code: 4001 }).timer('retry')).toBe(500);
  });

  it.each(['wake', 'network_back', 'network_lost', 'try_now'] as const)(
    'con3_%s_does_not_begin_before_it_is_known_where_to_begin',
    (type) => {
      const play = new Play().take({ type: 'token_ready', token: token() }).take({ type });
      expect([play.phase.name, play.asked]).toEqual(['starting', []]);
      play.take({ type: 'knows', position: 'p9' }).take({ type: 'start' });
      expect(play.asked).toContain('open_socket');
      expect(play.take({ type: 'opened' }).sent).toEqual([expect.objectContaining({ resume: 'p9' })]);
    },
  );

  it('con3_what_is_known_late_counts_until_the_server_is_asked', () => {
    const play = new Play().take({ type: 'token_ready', token: token() }).take({ type: 'start' });
    play
      .take({ type: 'closed', code: 1006 })
      .take({ type: 'knows', position: 'p9' })
      .take({ type: 'try_now' });
    expect(play.take({ type: 'opened' }).sent).toEqual([expect.objectContaining({ resume: 'p9' })]);
    // Whoever has asked without it is told all anew.
    const asked = new Play().take({ type: 'token_ready', token: token() }).take({ type: 'start' });
    asked.take({ type: 'opened' }).take({ type: 'knows', position: 'p9' });
    expect(asked.connection.resume).toBeNull();
    expect(live().frame(message(7)).take({ type: 'knows', position: 'p6' }).connection.resume).toBe('p7');
  });

  it.each(['wake', 'network_back', 'try_now'] as const)('hrt5_%s_reconnects_at_once', (type) => {
    const play = live().take({ type: 'closed', code: 1006 }).take({ type });
    expect(play.phase).toEqual({ name: 'connecting', step: 'socket' });
    expect(play.asked).toContain('open_socket');
  });

  it('hrt5_a_tab_that_slept_through_pings_reconnects_when_it_wakes', () => {
    const play = live();
    expect(play.later(HEARTBEAT_MS).take({ type: 'wake' }).phase.name).toBe('live');
    expect(play.later(HEARTBEAT_MS).take({ type: 'wake' }).phase.name).toBe('connecting');
  });

  it('a_clock_that_was_put_forward_is_noticed_by_the_next_ping_and_the_time_asked_anew', () => {
    const play = live().later(HEARTBEAT_MS).frame({ type: 'ping', position: 'p1' });
    expect(play.phase.name).toBe('live');
    play.later(30 * 3_600_000).frame({ type: 'ping', position: 'p2' });
    expect(play.phase.name).toBe('connecting');
    expect(play.connection.resume).toBe('p2');
  });

  it('hrt6_applied_goes_at_most_once_a_second_and_the_last_one_always', () => {
    const play = live().frame(message(1));
    expect(play.sent).toEqual([{ type: 'applied', position: 'p1' }]);
    play.later(300).frame(message(2));
    expect(play.sent).toEqual([]);
    expect(play.timer('applied')).toBe(700);
    play.later(300).frame(message(3));
    expect(play.sent).toEqual([]);
    play.later(400).take({ type: 'timer', name: 'applied' });
    expect(play.sent).toEqual([{ type: 'applied', position: 'p3' }]);
    expect(play.later(2_000).take({ type: 'timer', name: 'applied' }).sent).toEqual([]);
  });

  it('hrt6_the_event_is_delivered_before_it_is_reported', () => {
    expect(live().frame(message(1)).asked).toEqual(['deliver', 'send']);
  });

  it('hrt6_a_replay_reports_once_at_its_end_and_a_reset_only_when_its_snapshot_is_in', () => {
    const play = replaying().frame(message(1)).frame(message(2));
    expect(play.sent).toEqual([]);
    expect(play.frame({ type: 'caught_up', position: 'p2' }).sent).toEqual([
      { type: 'applied', position: 'p2' },
    ]);
    const reset = live();
    expect(reset.sent).toEqual([]);
    expect(reset.take({ type: 'applied' }).sent).toEqual([{ type: 'applied', position: 'p0' }]);
  });

  it('hrt6_what_came_while_the_snapshot_was_read_is_not_taken_back', () => {
    const play = live().frame(message(1)).frame(message(2));
    expect(play.take({ type: 'applied' }).sent).toEqual([]);
    play.later(1_000).take({ type: 'timer', name: 'applied' });
    expect(play.sent).toEqual([{ type: 'applied', position: 'p2' }]);
  });
});

describe('close codes', () => {
  it.each([1000, 1001, 1006, 1011, 4000, 4001, 4002, 4003, 4042, 4499])('code_%d_reconnects', (code) => {
    expect(live().take({ type: 'closed', code }).phase.name).toBe('waiting');
  });

  it.each([4500, 4504, 4505, 4700, 4999])('code_%d_ends_it_until_a_person_tries_again', (code) => {
    const play = live().take({ type: 'closed', code });
    expect(play.phase).toMatchObject({ name: 'failed', code });
    expect(play.asked).toEqual(['cancel_timers', 'drop_socket']);
    expect(play.take({ type: 'wake' }).phase.name).toBe('failed');
    expect(play.take({ type: 'network_back' }).phase.name).toBe('failed');
    expect(play.take({ type: 'try_now' }).phase.name).toBe('connecting');
  });

  it('hrt4_code_4503_asks_for_a_login', () => {
    const play = live().take({ type: 'closed', code: 4503 });
    expect(play.phase.name).toBe('logged_out');
    expect(play.connection.token).toBeNull();
    expect(play.take({ type: 'try_now' }).phase.name).toBe('logged_out');
  });

  it.each([4501, 4502])('hrt4_code_%d_reconnects_after_a_refresh', (code) => {
    const play = live().frame(message(7)).take({ type: 'closed', code });
    expect(play.asked).toContain('refresh_token');
    play.take({ type: 'token_ready', token: token() }).take({ type: 'opened' });
    expect(play.sent).toEqual([{ type: 'hello', token: 'jwt', client: 'web/0.1', resume: 'p7' }]);
  });

  it('code_4502_before_a_welcome_waits_so_that_two_clocks_that_differ_make_no_loop', () => {
    const play = greeting().take({ type: 'closed', code: 4502 });
    expect(play.phase.name).toBe('waiting');
    expect(play.take({ type: 'timer', name: 'retry' }).asked).toContain('refresh_token');
  });
});

describe('the network', () => {
  it('without_a_network_a_standing_session_is_asked_before_it_is_given_up', () => {
    const play = live().take({ type: 'network_lost' });
    expect(play.asked).toEqual(['probe']);
    expect(play.take({ type: 'probe_answered', reached: true }).phase.name).toBe('live');
    expect(play.take({ type: 'probe_answered', reached: false }).phase.name).toBe('offline');
  });

  it('offline_goes_on_trying_because_the_browser_can_be_wrong', () => {
    const play = live().take({ type: 'network_lost' }).take({ type: 'closed', code: 1006 });
    expect(play.phase.name).toBe('offline');
    expect(play.take({ type: 'timer', name: 'retry' }).phase.name).toBe('connecting');
  });

  it('a_wait_becomes_offline_when_the_network_goes_and_ends_when_it_comes_back', () => {
    const play = live().take({ type: 'closed', code: 1006 }).take({ type: 'network_lost' });
    expect(play.phase.name).toBe('offline');
    expect(play.take({ type: 'network_back' }).phase.name).toBe('connecting');
    expect(play.connection.networkLost).toBe(false);
  });

  it('a_refresh_that_is_not_answered_is_a_failed_attempt', () => {
    const play = new Play().take({ type: 'start' }).take({ type: 'token_failed', retryAfterMs: 4_000 });
    expect(play.phase).toEqual({ name: 'waiting', retryAt: NOW + 4_000 });
  });

  it('logging_out_drops_the_socket_and_stays_out', () => {
    const play = live().take({ type: 'log_out' });
    expect(play.asked).toEqual(['cancel_timers', 'drop_socket']);
    expect(play.take({ type: 'wake' }).phase).toEqual({ name: 'logged_out', reason: null });
  });
});
