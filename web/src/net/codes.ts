/** What the server's codes mean to this client. What is said of them is for the page to say. */
import { CLOSE_CODES, type ErrorCode } from './wire/generated.ts';
import { type Reader, word } from './wire/read.ts';

/**
 * Why something did not work: by the server's word, or because there was none that could be understood, or because the log
 * is another one than that in which it was meant.
 */
export type FaultCode = ErrorCode | 'unreachable' | 'malformed' | 'other_log' | 'unknown';

const FAULT_CODES = Object.keys({
  unauthenticated: true,
  forbidden: true,
  not_found: true,
  not_member: true,
  unknown_user: true,
  unknown_type: true,
  invalid: true,
  too_large: true,
  conflict: true,
  rate_limited: true,
  blocked: true,
  archived: true,
  full: true,
  unavailable: true,
  internal: true,
  unreachable: true,
  malformed: true,
  other_log: true,
  unknown: true,
} satisfies Record<FaultCode, true>) as readonly FaultCode[];

/** A code of a later version is an unknown one. */
export const faultCode: Reader<FaultCode, FaultCode> = word(FAULT_CODES, 'unknown');

/** What each close code asks of a client (PROTOCOL §5). */
export type AfterClose = 'reconnect' | 'after_goodbye' | 'refresh' | 'log_in' | 'stop';

export const CLOSE = { normal: 1000, ...CLOSE_CODES } as const;

/**
 * 4500 to 4999 never reconnect by themselves; anything else does. With 4501 and 4502 the token is no good: whether the
 * login is, is for the refresh to say (another tab may have logged in anew, or `hello` have come too late).
 */
export function afterClose(code: number): AfterClose {
  switch (code) {
    case CLOSE.goingAway:
      return 'after_goodbye';
    case CLOSE.notAuthenticated:
    case CLOSE.tokenExpired:
      return 'refresh';
    case CLOSE.sessionRevoked:
      return 'log_in';
    default:
      return code >= 4500 && code <= 4999 ? 'stop' : 'reconnect';
  }
}

/** Why the server wants nothing more of this page; `other` is a code of a later version. */
export type Stop = 'protocolError' | 'tooManyConnections' | 'versionNotSupported' | 'other';

export function stopOf(code: number): Stop {
  switch (code) {
    case CLOSE.protocolError:
      return 'protocolError';
    case CLOSE.tooManyConnections:
      return 'tooManyConnections';
    case CLOSE.versionNotSupported:
      return 'versionNotSupported';
    default:
      return 'other';
  }
}

/** Why somebody is no longer logged in who did not log out. */
export type LoggedOut = { why: 'ended' | 'revoked' } | { why: 'other_user'; user: string };
