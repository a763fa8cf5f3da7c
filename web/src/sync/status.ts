/**
 * What this person wants others to see of them. It is in no log: a gateway keeps it for as long as they are there, so it is
 * kept on the device, and said again in every session.
 */
import { reconnectDelayMs } from '../net/backoff.ts';
import type { Environment } from '../net/environment.ts';
import type { ClientFrame, ErrorFrame, OkFrame, PresenceChoice } from '../net/frames.ts';
import { MAX_STATUS_CHARS } from '../net/wire/generated.ts';
import { attempt, fields, knownWord, text } from '../net/wire/read.ts';
import type { Settings } from '../outbox/settings.ts';
import { lineFault, type TextFault } from '../outbox/text.ts';

export interface Status {
  status: PresenceChoice;
  /** One line; empty for none. */
  text: string;
}

const KEY = 'status';
const AT_FIRST: Status = { status: 'online', text: '' };
const stored = fields({ status: knownWord(['online', 'away', 'busy', 'invisible']), text });

export interface OwnStatusSurroundings {
  environment: Environment;
  settings: Pick<Settings, 'get' | 'set'>;
  nextRef(): number;
  send(frame: ClientFrame): boolean;
}

export class OwnStatus {
  readonly #around: OwnStatusSurroundings;
  readonly #listeners = new Set<() => void>();
  #chosen = AT_FIRST;
  /** As this session's gateway has it; null where it was never told of the last choice, and may have another one. */
  #told: Status | null = AT_FIRST;
  #unsaid = false;
  #asked: { ref: number; status: Status } | null = null;
  #refusals = 0;
  #live = false;
  #cancelTimer: (() => void) | null = null;

  constructor(around: OwnStatusSurroundings) {
    this.#around = around;
  }

  get chosen(): Status {
    return this.#chosen;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Null where it is on its way; else what is wrong with the text. */
  choose(status: Status): TextFault | null {
    const fault = status.text === '' ? null : lineFault(status.text, MAX_STATUS_CHARS);
    if (fault !== null) return fault;
    this.#become(status);
    this.#unsaid = true;
    this.#told = null;
    this.#around.settings.set(KEY, status);
    this.#say();
    return null;
  }

  /** A session is live: it knows nothing of what was chosen before. */
  live(): void {
    this.#live = true;
    this.#told = this.#unsaid ? null : AT_FIRST;
    this.#say();
  }

  /** What was chosen in an earlier page, or in another tab: else the one that says its own last would win. */
  adopt(): void {
    const status = attempt(stored, this.#around.settings.get(KEY));
    if (status === null) return;
    this.#become(status);
    this.#say();
  }

  down(): void {
    this.#live = false;
    this.#asked = null;
    this.#cancelTimer?.();
  }

  answered(frame: OkFrame | ErrorFrame): boolean {
    const asked = this.#asked;
    if (asked === null || frame.ref !== asked.ref) return false;
    this.#asked = null;
    if (frame.type === 'error' && frame.temporary) {
      const { environment } = this.#around;
      const delay = frame.retryAfterMs ?? reconnectDelayMs(this.#refusals, environment.random());
      this.#refusals += 1;
      this.#cancelTimer?.();
      this.#cancelTimer = environment.after(delay, () => this.#say());
      return true;
    }
    // What is refused for good would be refused again.
    this.#refusals = 0;
    if (same(asked.status, this.#chosen)) this.#unsaid = false;
    this.#told = asked.status;
    this.#say();
    return true;
  }

  #say(): void {
    if (!this.#live || this.#asked !== null || (this.#told !== null && same(this.#chosen, this.#told)))
      return;
    const status = this.#chosen;
    const ref = this.#around.nextRef();
    const frame = { type: 'presence', ref, status: status.status } as const;
    if (this.#around.send(status.text === '' ? frame : { ...frame, text: status.text })) {
      this.#asked = { ref, status };
    }
  }

  #become(status: Status): void {
    if (same(status, this.#chosen)) return;
    this.#chosen = status;
    for (const listener of this.#listeners) listener();
  }
}

function same(one: Status, other: Status): boolean {
  return one.status === other.status && one.text === other.text;
}
