/**
 * The vocabulary of the connection: what it can be in, what can happen to it, and what it asks for.
 * `reduce.ts` decides, `driver.ts` carries out.
 */
import type { LoggedOut } from '../codes.ts';
import type { ClientFrame, ServerFrame } from '../frames.ts';

export type Phase =
  /** What this device keeps is looked through: it knows where to begin. Only `start` ends it. */
  | { name: 'starting' }
  /** Not connected, and the browser says that there is no network. Tried again all the same: it can be wrong. */
  | { name: 'offline'; retryAt: number }
  /** First a token that is good for a while, then a socket that opens. */
  | { name: 'connecting'; step: 'token' | 'socket' }
  /** `hello` is sent, `welcome` is awaited. */
  | { name: 'greeting' }
  /** Welcomed; what was missed is coming, up to `caught_up` or a `reset`. */
  | { name: 'replaying'; heartbeatMs: number }
  | { name: 'live'; heartbeatMs: number; since: number; lastPingAt: number }
  | { name: 'waiting'; retryAt: number }
  | { name: 'logged_out'; reason: LoggedOut | null }
  /** Ended for good by the server; only a person can start it again. */
  | { name: 'failed'; code: number };

export interface Token {
  value: string;
  expiresAt: number;
}

export interface Connection {
  phase: Phase;
  /** The last position that an event or an `ok` carried: always safe to resume from (EVT2). */
  resume: string | null;
  token: Token | null;
  /** Attempts in a row that did not lead to a connection that lasted. */
  attempt: number;
  /** What the browser says of the network: a hint, never a reason not to try. */
  networkLost: boolean;
  /** When to leave a gateway that said `goodbye`. */
  leaveAt: number | null;
  /** HRT6: the position that is still to be reported as applied, and when the last report went. */
  appliedDue: string | null;
  appliedAt: number;
}

export type TimerName = 'retry' | 'open' | 'welcome' | 'silence' | 'renew' | 'leave' | 'applied';

export type ConnectionEvent =
  | { type: 'start' }
  /** An earlier page left what it knew at this position (CON3). */
  | { type: 'knows'; position: string }
  /** The tab came back. */
  | { type: 'wake' }
  | { type: 'network_lost' }
  | { type: 'network_back' }
  /** A person asked for another attempt. */
  | { type: 'try_now' }
  | { type: 'probe_answered'; reached: boolean }
  | { type: 'token_ready'; token: Token }
  | { type: 'token_denied'; reason: LoggedOut }
  | { type: 'token_failed'; retryAfterMs?: number | undefined }
  | { type: 'opened' }
  | { type: 'frame'; frame: ServerFrame }
  /** The server sent what is not in the protocol. */
  | { type: 'garbled' }
  | { type: 'closed'; code: number }
  | { type: 'timer'; name: TimerName }
  /** The pages that a reset asks for have been taken in. */
  | { type: 'applied' }
  | { type: 'log_out' };

export type Effect =
  | { do: 'refresh_token' }
  | { do: 'open_socket' }
  /** Also of a socket that is still opening; nothing that it says is heard afterwards. */
  | { do: 'drop_socket' }
  | { do: 'send'; frame: ClientFrame }
  | { do: 'deliver'; frame: ServerFrame }
  | { do: 'set_timer'; name: TimerName; ms: number }
  | { do: 'cancel_timers' }
  /** Ask over HTTP whether the server can be reached. */
  | { do: 'probe' };

/** The moment of an event, with the random number that it may use. */
export interface Moment {
  now: number;
  random: number;
}

export const initialConnection: Connection = {
  phase: { name: 'starting' },
  resume: null,
  token: null,
  attempt: 0,
  networkLost: false,
  leaveAt: null,
  appliedDue: null,
  appliedAt: 0,
};

export function isLive(connection: Connection): boolean {
  return connection.phase.name === 'live';
}

const BEFORE_HELLO = new Set<Phase['name']>(['starting', 'waiting', 'offline', 'connecting']);

/** Whether a session can still begin where an earlier page was: the server has not been asked, and has told nothing. */
export function canGoOn({ phase, resume }: Connection): boolean {
  return resume === null && BEFORE_HELLO.has(phase.name);
}
