/** What each close code asks of a client (PROTOCOL §5). */
export type AfterClose = 'reconnect' | 'after_goodbye' | 'refresh' | 'log_in' | 'stop';

export const CLOSE = {
  normal: 1000,
  goingAway: 4000,
  tooSlow: 4001,
  heartbeatMissed: 4002,
  feedBehind: 4003,
  protocolError: 4500,
  notAuthenticated: 4501,
  tokenExpired: 4502,
  sessionRevoked: 4503,
  tooManyConnections: 4504,
  versionNotSupported: 4505,
} as const;

/** 4500 to 4999 never reconnect by themselves (4502: after a refresh); anything else does. */
export function afterClose(code: number): AfterClose {
  switch (code) {
    case CLOSE.goingAway:
      return 'after_goodbye';
    case CLOSE.tokenExpired:
      return 'refresh';
    case CLOSE.notAuthenticated:
    case CLOSE.sessionRevoked:
      return 'log_in';
    default:
      return code >= 4500 && code <= 4999 ? 'stop' : 'reconnect';
  }
}

/** What a person is told when a close code ends the connection for good. */
export function closeReason(code: number): string {
  switch (code) {
    case CLOSE.protocolError:
      return 'The server did not understand this page. Reload it.';
    case CLOSE.notAuthenticated:
      return 'Please log in again.';
    case CLOSE.sessionRevoked:
      return 'You were logged out.';
    case CLOSE.tooManyConnections:
      return 'This account has too many connections open. Close another tab or device, then try again.';
    case CLOSE.versionNotSupported:
      return 'This page is older than the server. Reload it.';
    default:
      return `The server ended the connection (${code}).`;
  }
}
