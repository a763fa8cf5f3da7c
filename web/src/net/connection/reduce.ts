/**
 * Every decision of the connection, as a pure function: what it is in, what happened and when give what it is in
 * next and what is to be done. Rule numbers are those of PROTOCOL.
 */
import { reconnectDelayMs } from '../backoff.ts';
import { afterClose } from '../codes.ts';
import type { ServerFrame } from '../frames.ts';
import {
  type Connection,
  type ConnectionEvent,
  canGoOn,
  type Effect,
  type Moment,
  type Phase,
  type TimerName,
} from './state.ts';

const CLIENT_NAME = 'web/0.1';

const OPEN_TIMEOUT_MS = 10_000;
const WELCOME_TIMEOUT_MS = 10_000;
/** A connection that lasted this long was a good one: the next attempt counts from zero. */
const LASTING_MS = 10_000;
/** A token that ends sooner than this is renewed before it is used. */
const TOKEN_MARGIN_MS = 30_000;
const RENEW_BEFORE_EXPIRY_MS = 90_000;
const RENEW_AGAIN_MS = 10_000;
const APPLIED_EVERY_MS = 1_000;
/** Delays that the server names are believed up to here. */
const MAX_TOLD_DELAY_MS = 300_000;
/** After one and a half there is silence (HRT1). */
const MAX_TIMELY_INTERVALS = 2;
const MAX_TIMER_MS = 24 * 3600_000;

export type Step = readonly [Connection, readonly Effect[]];

export function reduce(connection: Connection, event: ConnectionEvent, at: Moment): Step {
  const { phase } = connection;
  switch (event.type) {
    case 'start':
      return phase.name === 'starting' ? connect(connection, at) : stay(connection);
    case 'knows':
      return stay(canGoOn(connection) ? { ...connection, resume: event.position } : connection);
    case 'try_now':
      if (phase.name === 'waiting' || phase.name === 'offline') return connect(connection, at);
      return phase.name === 'failed' ? connect({ ...connection, attempt: 0 }, at) : stay(connection);
    case 'wake':
      return wake(connection, at);
    case 'network_back':
      return wake({ ...connection, networkLost: false }, at);
    case 'network_lost':
      return networkLost({ ...connection, networkLost: true });
    case 'probe_answered':
      return event.reached || !welcomed(phase) ? stay(connection) : lose(connection, at);
    case 'token_ready':
      return tokenReady({ ...connection, token: event.token }, at);
    case 'token_denied':
      return ended({ ...connection, token: null }, { name: 'logged_out', reason: event.reason });
    case 'token_failed':
      if (phase.name === 'connecting' && phase.step === 'token')
        return lose(connection, at, event.retryAfterMs);
      return welcomed(phase)
        ? [connection, [timer('renew', Math.max(RENEW_AGAIN_MS, event.retryAfterMs ?? 0))]]
        : stay(connection);
    case 'opened':
      return phase.name === 'connecting' ? greet(connection) : stay(connection);
    case 'frame':
      return receive(connection, event.frame, at);
    case 'garbled':
      return hasSocket(phase) ? lose(connection, at) : stay(connection);
    case 'closed':
      return hasSocket(phase) ? closed(connection, event.code, at) : stay(connection);
    case 'timer':
      return timerFired(connection, event.name, at);
    case 'applied':
      // With what came since: that may be due already, or reported.
      return reportApplied({ ...connection, appliedDue: connection.resume }, at);
    case 'log_out':
      return ended({ ...connection, token: null }, { name: 'logged_out', reason: null });
  }
}

// ---- getting there

function connect(connection: Connection, at: Moment): Step {
  const usable = connection.token !== null && connection.token.expiresAt - at.now > TOKEN_MARGIN_MS;
  if (usable) return openSocket(connection);
  return [
    { ...connection, leaveAt: null, phase: { name: 'connecting', step: 'token' } },
    [...afresh, { do: 'refresh_token' }],
  ];
}

function openSocket(connection: Connection): Step {
  return [
    { ...connection, leaveAt: null, phase: { name: 'connecting', step: 'socket' } },
    [...afresh, { do: 'open_socket' }, timer('open', OPEN_TIMEOUT_MS)],
  ];
}

/** CON1: the first frame is `hello`, with the position to resume from where there is one. */
function greet(connection: Connection): Step {
  const { token, resume } = connection;
  if (token === null) return stay(connection);
  const hello = { type: 'hello', token: token.value, client: CLIENT_NAME } as const;
  return [
    { ...connection, phase: { name: 'greeting' } },
    [
      { do: 'cancel_timers' },
      { do: 'send', frame: resume === null ? hello : { ...hello, resume } },
      timer('welcome', WELCOME_TIMEOUT_MS),
    ],
  ];
}

function tokenReady(connection: Connection, at: Moment): Step {
  const { phase, token } = connection;
  // One that is new is used, however short it lives: asking for another would give the same again.
  if (phase.name === 'connecting' && phase.step === 'token') return openSocket(connection);
  // HRT4: renewed in place, without a new connection.
  if (welcomed(phase) && token !== null) {
    return [
      connection,
      [{ do: 'send', frame: { type: 'token', token: token.value } }, renewal(connection, at)],
    ];
  }
  return stay(connection);
}

// ---- frames

function receive(connection: Connection, frame: ServerFrame, at: Moment): Step {
  switch (connection.phase.name) {
    case 'greeting':
      if (frame.type === 'welcome') return welcome(connection, frame, at);
      // A refusal before the welcome; the close code that follows says what it means.
      return frame.type === 'error' || frame.type === 'other' ? stay(connection) : lose(connection, at);
    case 'replaying':
    case 'live':
      return frame.type === 'welcome' ? lose(connection, at) : inSession(connection, frame, at);
    default:
      return stay(connection);
  }
}

function welcome(connection: Connection, frame: ServerFrame & { type: 'welcome' }, at: Moment): Step {
  const heartbeatMs = Math.max(1_000, frame.heartbeatMs);
  return [
    { ...connection, phase: { name: 'replaying', heartbeatMs } },
    [{ do: 'cancel_timers' }, { do: 'deliver', frame }, silence(heartbeatMs), renewal(connection, at)],
  ];
}

function inSession(connection: Connection, frame: ServerFrame, at: Moment): Step {
  const { phase } = connection;
  if (phase.name !== 'replaying' && phase.name !== 'live') return stay(connection);
  const moved = { ...connection, resume: positionAfter(connection.resume, frame) };
  // While a replay runs, whatever arrives shows that the server is there; once live only its pings do (HRT1).
  const heard = phase.name === 'replaying' ? [silence(phase.heartbeatMs)] : [];
  switch (frame.type) {
    case 'caught_up':
    case 'reset':
      return goLive(moved, frame, phase.heartbeatMs, at);
    case 'ping':
      // It came in time, so it is the clock that was put forward, or stood still: the next welcome tells the time.
      if (phase.name === 'live' && at.now - phase.lastPingAt > MAX_TIMELY_INTERVALS * phase.heartbeatMs)
        return connect(moved, at);
      return [
        phase.name === 'live' ? { ...moved, phase: { ...phase, lastPingAt: at.now } } : moved,
        [{ do: 'send', frame: { type: 'pong', position: frame.position } }, silence(phase.heartbeatMs)],
      ];
    case 'goodbye': {
      const ms = Math.min(frame.reconnectAfterMs, MAX_TOLD_DELAY_MS);
      return [{ ...moved, leaveAt: at.now + ms }, [...heard, timer('leave', ms)]];
    }
    default: {
      if (moved.resume === connection.resume || frame.type === 'ok')
        return [moved, [...heard, { do: 'deliver', frame }]];
      const [next, effects] = reportApplied({ ...moved, appliedDue: moved.resume }, at);
      return [next, [...heard, { do: 'deliver', frame }, ...effects]];
    }
  }
}

/** CON3: a replay ends with `caught_up`, or there is none and `reset` says where to read history from. */
function goLive(
  connection: Connection,
  frame: ServerFrame & { type: 'caught_up' | 'reset' },
  heartbeatMs: number,
  at: Moment,
): Step {
  const live: Connection = {
    ...connection,
    phase: { name: 'live', heartbeatMs, since: at.now, lastPingAt: at.now },
    // After a reset nothing is applied yet: whoever reads the snapshot says so when it is in.
    appliedDue: frame.type === 'reset' ? null : connection.appliedDue,
  };
  const [next, effects] = reportApplied(live, at);
  return [next, [{ do: 'deliver', frame }, silence(heartbeatMs), ...effects]];
}

/**
 * EVT2: the last position seen in an event or an `ok` is safe to resume from, and a ping says that the session is
 * complete up to it (HRT1). So whatever carries a position moves it, but for a repeat's `ok`, which moves nothing (CMD2).
 */
function positionAfter(resume: string | null, frame: ServerFrame): string | null {
  if (frame.type === 'ok' && frame.duplicate) return resume;
  return ('position' in frame ? frame.position : undefined) ?? resume;
}

/** HRT6: at most one report a second, and the last one always goes. */
function reportApplied(connection: Connection, at: Moment): Step {
  const { appliedDue, appliedAt, phase } = connection;
  if (appliedDue === null || phase.name !== 'live') return stay(connection);
  const wait = appliedAt + APPLIED_EVERY_MS - at.now;
  if (wait > 0) return [connection, [timer('applied', wait)]];
  return [
    { ...connection, appliedDue: null, appliedAt: at.now },
    [{ do: 'send', frame: { type: 'applied', position: appliedDue } }],
  ];
}

// ---- losing it

/** Reconnect after a random delay (HRT5), or after the one that somebody named. */
function lose(connection: Connection, at: Moment, toldMs?: number): Step {
  const { phase } = connection;
  const lasted = phase.name === 'live' && at.now - phase.since >= LASTING_MS;
  const attempt = lasted ? 0 : connection.attempt;
  const delay =
    toldMs === undefined ? reconnectDelayMs(attempt, at.random) : Math.min(toldMs, MAX_TOLD_DELAY_MS);
  const retryAt = at.now + delay;
  return [
    {
      ...connection,
      attempt: attempt + 1,
      leaveAt: null,
      phase: connection.networkLost ? { name: 'offline', retryAt } : { name: 'waiting', retryAt },
    },
    [...afresh, timer('retry', delay)],
  ];
}

function closed(connection: Connection, code: number, at: Moment): Step {
  switch (afterClose(code)) {
    case 'reconnect':
      return lose(connection, at);
    case 'after_goodbye':
      return lose(
        connection,
        at,
        connection.leaveAt === null ? undefined : Math.max(0, connection.leaveAt - at.now),
      );
    case 'refresh': {
      const without = { ...connection, token: null };
      // A fresh token that is refused before the welcome would be refused again at once: that one waits.
      return welcomed(connection.phase) ? connect(without, at) : lose(without, at);
    }
    case 'log_in':
      return ended({ ...connection, token: null }, { name: 'logged_out', reason: { why: 'revoked' } });
    case 'stop':
      return ended(connection, { name: 'failed', code });
  }
}

function ended(connection: Connection, phase: Phase): Step {
  return [{ ...connection, phase, leaveAt: null }, afresh];
}

// ---- time, network and tab

function timerFired(connection: Connection, name: TimerName, at: Moment): Step {
  const { phase } = connection;
  switch (name) {
    case 'retry':
      return phase.name === 'waiting' || phase.name === 'offline'
        ? connect(connection, at)
        : stay(connection);
    case 'open':
      return phase.name === 'connecting' ? lose(connection, at) : stay(connection);
    case 'welcome':
      return phase.name === 'greeting' ? lose(connection, at) : stay(connection);
    case 'silence':
      return welcomed(phase) ? lose(connection, at) : stay(connection);
    case 'leave':
      // HRT3: the delay has passed on the old gateway, so the next one is asked at once.
      return welcomed(phase) ? connect(connection, at) : stay(connection);
    case 'renew':
      return welcomed(phase) ? [connection, [{ do: 'refresh_token' }]] : stay(connection);
    case 'applied':
      return reportApplied(connection, at);
  }
}

/** HRT5: at once when the network or the tab comes back. Timers of a machine that slept are late, so look. */
function wake(connection: Connection, at: Moment): Step {
  const { phase } = connection;
  if (phase.name === 'waiting' || phase.name === 'offline') return connect(connection, at);
  if (phase.name === 'live' && at.now - phase.lastPingAt > 1.5 * phase.heartbeatMs)
    return connect(connection, at);
  return stay(connection);
}

/** Without a network a server on this very machine still answers, so a session that stands is asked first. */
function networkLost(connection: Connection): Step {
  const { phase } = connection;
  if (phase.name === 'waiting') {
    return [{ ...connection, phase: { name: 'offline', retryAt: phase.retryAt } }, []];
  }
  return welcomed(phase) ? [connection, [{ do: 'probe' }]] : stay(connection);
}

// ---- small words

const afresh: readonly Effect[] = [{ do: 'cancel_timers' }, { do: 'drop_socket' }];

function stay(connection: Connection): Step {
  return [connection, []];
}

function timer(name: TimerName, ms: number): Effect {
  return { do: 'set_timer', name, ms: Math.min(Math.max(0, ms), MAX_TIMER_MS) };
}

/** HRT1: no ping for one and a half intervals means that nobody is there. */
function silence(heartbeatMs: number): Effect {
  return timer('silence', 1.5 * heartbeatMs);
}

function renewal(connection: Connection, at: Moment): Effect {
  const left = (connection.token?.expiresAt ?? at.now) - at.now;
  // A token that lives shorter than the margin is renewed at half its life, never in a tight loop.
  return timer('renew', Math.max(left - RENEW_BEFORE_EXPIRY_MS, left / 2, 1_000));
}

function welcomed(phase: Phase): boolean {
  return phase.name === 'replaying' || phase.name === 'live';
}

function hasSocket(phase: Phase): boolean {
  return (
    (phase.name === 'connecting' && phase.step === 'socket') || phase.name === 'greeting' || welcomed(phase)
  );
}
