import { PATIENT_AFTER_ATTEMPTS } from '../net/backoff.ts';
import { type Stop, stopOf } from '../net/codes.ts';
import type { Connection } from '../net/connection/state.ts';
import type { app } from './words.en.ts';

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

type Words = Pick<typeof app, 'banner' | 'waiting'>;

/** A newer page may be understood; this one would only be refused again. */
const HELP: Record<Stop, Banner['action']> = {
  protocolError: 'reload',
  versionNotSupported: 'reload',
  tooManyConnections: 'try_now',
  other: 'try_now',
};

/** What is true of the connection, in words; null when all is well. */
export function bannerOf(connection: Connection, waiting: Waiting, now: number, words: Words): Banner | null {
  const { phase } = connection;
  const { banner } = words;
  const kept = keptText(waiting, words);
  switch (phase.name) {
    case 'live':
      return waiting.messages + waiting.changes > 0 && waiting.pausedUntil > now
        ? { tone: 'working', text: banner.slowly(waitingText(waiting, words)), action: null }
        : null;
    case 'offline':
      return { tone: 'waiting', text: banner.offline + kept, action: 'try_now' };
    case 'waiting': {
      const seconds = Math.max(1, Math.ceil((phase.retryAt - now) / 1000));
      const text =
        connection.attempt > PATIENT_AFTER_ATTEMPTS
          ? banner.unreachable(seconds)
          : banner.reconnecting(seconds);
      return { tone: 'waiting', text: text + kept, action: 'try_now' };
    }
    case 'starting':
    case 'connecting':
    case 'greeting':
      return { tone: 'working', text: banner.connecting + kept, action: null };
    case 'replaying':
      return { tone: 'working', text: banner.catchingUp, action: null };
    case 'failed': {
      const stop = stopOf(phase.code);
      return { tone: 'stopped', text: banner.stopped[stop] + kept, action: HELP[stop] };
    }
    case 'logged_out':
      return { tone: 'stopped', text: banner.loggedOut, action: null };
  }
}

/**
 * The same for those who listen: how things stand, without what counts down, and the same words through all attempts, so
 * that they are heard once.
 */
export function spokenOf(connection: Connection, waiting: Waiting, words: Words): string {
  const { phase, attempt } = connection;
  const { banner } = words;
  switch (phase.name) {
    case 'live':
      return '';
    case 'waiting':
    case 'starting':
    case 'connecting':
    case 'greeting': {
      const state =
        attempt === 0
          ? banner.connecting
          : attempt > PATIENT_AFTER_ATTEMPTS
            ? banner.spoken.unreachable
            : banner.spoken.reconnecting;
      return state + keptText(waiting, words);
    }
    default:
      return bannerOf(connection, waiting, 0, words)?.text ?? '';
  }
}

/** What waits in the outbox. */
export function waitingText(
  { messages, changes }: Pick<Waiting, 'messages' | 'changes'>,
  { waiting }: Pick<Words, 'waiting'>,
): string {
  if (messages > 0 && changes > 0) return waiting.both(waiting.messages(messages), waiting.changes(changes));
  if (messages > 0) return waiting.messages(messages);
  return changes > 0 ? waiting.changes(changes) : '';
}

function keptText(waiting: Waiting, words: Words): string {
  const what = waitingText(waiting, words);
  if (what === '') return '';
  return ` ${waiting.durable ? words.banner.keptHere(what) : words.banner.keepOpen(what)}`;
}
