import type { Page } from 'playwright-core';

type Frame = Readonly<Record<string, unknown>>;

/** One socket of a page, as seen from outside of it. */
export interface Session {
  readonly sent: Frame[];
  readonly received: Frame[];
  closed: boolean;
}

export function watchSessions(page: Page): Session[] {
  const sessions: Session[] = [];
  page.on('websocket', (socket) => {
    const session: Session = { sent: [], received: [], closed: false };
    sessions.push(session);
    socket.on('framesent', ({ payload }) => session.sent.push(...framesOf(payload)));
    socket.on('framereceived', ({ payload }) => session.received.push(...framesOf(payload)));
    socket.on('close', () => {
      session.closed = true;
    });
  });
  return sessions;
}

export function types(frames: readonly Frame[]): unknown[] {
  return frames.map(({ type }) => type);
}

/** FRM1: one message, several frames. */
function framesOf(payload: string | Buffer): Frame[] {
  return String(payload)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Frame);
}
