import { PATIENT_AFTER_ATTEMPTS } from '../net/backoff.ts';
import type { Connection } from '../net/connection/state.ts';
import { waitingText } from './format.ts';

export interface Waiting {
  /** Messages that have not left yet. */
  messages: number;
  /** Edits, deletions, reactions and blocks that have not. */
  changes: number;
  /** Whether they outlive the page. */
  durable: boolean;
  /** The server asked for patience until then. */
  pausedUntil: number;
}

export interface Banner {
  tone: 'working' | 'waiting' | 'stopped';
  text: string;
  action: 'try_now' | 'reload' | null;
}

/** What is true of the connection, in words; null when all is well. */
export function bannerOf(connection: Connection, waiting: Waiting, now: number): Banner | null {
  const { phase } = connection;
  const kept = keptText(waiting);
  switch (phase.name) {
    case 'live':
      return waiting.messages + waiting.changes > 0 && waiting.pausedUntil > now
        ? { tone: 'working', text: `Sending slowly: ${waitingText(waiting)} in line.`, action: null }
        : null;
    case 'offline':
      return { tone: 'waiting', text: `You’re offline.${kept}`, action: 'try_now' };
    case 'waiting': {
      const seconds = Math.max(1, Math.ceil((phase.retryAt - now) / 1000));
      const text =
        connection.attempt > PATIENT_AFTER_ATTEMPTS
          ? `Natter can’t be reached. Next attempt in ${seconds} s.`
          : `Reconnecting in ${seconds} s…`;
      return { tone: 'waiting', text: text + kept, action: 'try_now' };
    }
    case 'connecting':
    case 'greeting':
      return { tone: 'working', text: `Connecting…${kept}`, action: null };
    case 'replaying':
      return { tone: 'working', text: 'Catching up…', action: null };
    case 'failed':
      return {
        tone: 'stopped',
        text: phase.reason + kept,
        action: phase.reason.includes('Reload') ? 'reload' : 'try_now',
      };
    case 'logged_out':
      return { tone: 'stopped', text: phase.reason ?? 'You are logged out.', action: null };
  }
}

function keptText(waiting: Waiting): string {
  const what = waitingText(waiting);
  return what === ''
    ? ''
    : ` ${what} waiting, ${waiting.durable ? 'kept on this device' : 'keep this page open'}.`;
}
