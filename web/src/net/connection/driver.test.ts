import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/clock.ts';
import type { ServerFrame } from '../frames.ts';
import { ConnectionDriver, type Socket } from './driver.ts';

class Wire implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  sent: unknown[] = [];
  closedWith: number | undefined;

  send(data: string): void {
    this.sent.push(JSON.parse(data));
  }
  close(code?: number): void {
    this.closedWith = code;
  }
  says(...lines: unknown[]): void {
    this.onmessage?.({ data: lines.map((line) => JSON.stringify(line)).join('\n') });
  }
}

const welcome = {
  type: 'welcome',
  user: 'alice',
  session: 's',
  now: '2026-05-01T12:00:00.000Z',
  position: 'w',
  heartbeat_ms: 25_000,
};
const message = (seq: number) => ({
  type: 'message',
  seq,
  position: `p${seq}`,
  conversation: 'c',
  sender: 'bob',
  id: `id-${seq}`,
  text: 'hi',
  at: '2026-05-01T12:00:00.000Z',
});

let clock: ManualClock;
let wires: Wire[];
let driver: ConnectionDriver;
let delivered: ServerFrame[];
let refreshes: number;

const wire = () => {
  const last = wires.at(-1);
  if (last === undefined) throw new Error('no socket was opened');
  return last;
};

beforeEach(() => {
  clock = new ManualClock();
  wires = [];
  delivered = [];
  refreshes = 0;
  driver = new ConnectionDriver({
    environment: clock,
    openSocket: () => {
      wires.push(new Wire());
      return wire();
    },
    refreshToken: () => {
      refreshes += 1;
    },
    probe: () => Promise.resolve(false),
  });
  driver.onFrame((frame) => delivered.push(frame));
  driver.dispatch({ type: 'token_ready', token: { value: 'jwt', expiresAt: clock.now() + 900_000 } });
  driver.dispatch({ type: 'start' });
});

const goLive = () => {
  wire().onopen?.();
  wire().says(welcome, { type: 'reset', reason: 'fresh', position: 'p0' });
};

describe('the driver', () => {
  it('frm1_takes_several_frames_of_one_message_in_order', () => {
    wire().onopen?.();
    wire().says(welcome, message(1), message(2), { type: 'caught_up', position: 'p2' });
    expect(delivered.map(({ type }) => type)).toEqual(['welcome', 'message', 'message', 'caught_up']);
    expect(driver.connection.phase.name).toBe('live');
  });

  it('frm1_frames_before_a_fault_count_and_the_connection_is_made_anew', () => {
    goLive();
    wire().onmessage?.({ data: `${JSON.stringify(message(1))}\n{"type":"message"` });
    expect(delivered.at(-1)).toMatchObject({ type: 'message', seq: 1 });
    expect(driver.connection.phase.name).toBe('waiting');
    expect(driver.connection.resume).toBe('p1');
  });

  it.each([
    ['binary', new ArrayBuffer(2)],
    ['not an object', '[1]'],
    ['no type', '{"seq":1}'],
    ['a seq that is no number', JSON.stringify({ ...message(1), seq: '1' })],
    ['a seq past 2^53', JSON.stringify({ ...message(1), seq: 2 ** 53 })],
    ['a missing field', JSON.stringify({ ...message(1), conversation: undefined })],
  ])('frm4_%s_is_not_swallowed', (_what, data) => {
    goLive();
    wire().onmessage?.({ data });
    expect(driver.connection.phase.name).toBe('waiting');
    expect(delivered.filter(({ type }) => type === 'message')).toEqual([]);
  });

  it('frm2_unknown_types_and_fields_pass', () => {
    goLive();
    wire().says({ type: 'hologram', position: 'p4', depth: 3 }, { ...message(5), sparkles: true });
    expect(driver.connection.phase.name).toBe('live');
    expect(driver.connection.resume).toBe('p5');
  });

  it('a_socket_that_was_left_is_not_heard_any_more', () => {
    goLive();
    const old = wire();
    clock.advance(37_500);
    expect(driver.connection.phase.name).toBe('waiting');
    expect(old.closedWith).toBe(1000);
    old.says(message(9));
    expect(delivered.filter(({ type }) => type === 'message')).toEqual([]);
    expect(driver.connection.resume).toBe('p0');
    clock.advance(500);
    goLive();
    old.says(message(9));
    old.onclose?.({ code: 4503 });
    expect(driver.connection.phase.name).toBe('live');
    expect(delivered.filter(({ type }) => type === 'message')).toEqual([]);
  });

  it('hrt1_pings_keep_it_and_silence_ends_it', () => {
    goLive();
    for (let beat = 0; beat < 10; beat += 1) {
      clock.advance(25_000);
      wire().says({ type: 'ping', position: `q${beat}` });
    }
    expect(driver.connection.phase.name).toBe('live');
    expect(wires).toHaveLength(1);
    clock.advance(37_499);
    expect(driver.connection.phase.name).toBe('live');
    clock.advance(1);
    expect(driver.connection.phase.name).toBe('waiting');
  });

  it('hrt5_it_comes_back_by_itself_after_the_delay', () => {
    goLive();
    wire().onclose?.({ code: 1006 });
    clock.advance(499);
    expect(wires).toHaveLength(1);
    clock.advance(1);
    expect(wires).toHaveLength(2);
    wire().onopen?.();
    expect(wire().sent).toEqual([{ type: 'hello', token: 'jwt', client: 'web/0.1', resume: 'p0' }]);
  });

  it('hrt4_renews_its_token_90_s_before_the_end', () => {
    goLive();
    for (let beat = 0; beat < 32; beat += 1) {
      clock.advance(25_000);
      wire().says({ type: 'ping', position: 'q' });
    }
    expect(refreshes).toBe(0);
    clock.advance(10_000);
    expect(refreshes).toBe(1);
  });

  it('says_nothing_outside_of_a_live_session', () => {
    expect(driver.send({ type: 'typing', ref: 1, conversation: 'c' })).toBe(false);
    goLive();
    expect(driver.send({ type: 'typing', ref: 1, conversation: 'c' })).toBe(true);
    wire().onclose?.({ code: 1006 });
    expect(driver.send({ type: 'typing', ref: 2, conversation: 'c' })).toBe(false);
  });

  it('leaves_no_timer_behind_when_it_is_logged_out', () => {
    goLive();
    wire().says(message(1), message(2));
    driver.dispatch({ type: 'log_out' });
    expect(clock.pending).toBe(0);
  });
});
