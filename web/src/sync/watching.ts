/** Whose presence this session follows: the people of the conversations that were active last, at most 500. */
import type { Environment } from '../net/environment.ts';
import type { ClientFrame, ErrorFrame, OkFrame } from '../net/frames.ts';
import { peopleOfKey, type State } from '../store/state.ts';
import type { Store } from '../store/store.ts';

const MAX_WATCHED = 500;
/** Changes that come together make one command. */
const GATHER_MS = 200;
const RETRY_MS = 5_000;

export interface WatchingSurroundings {
  environment: Environment;
  store: Store;
  nextRef(): number;
  send(frame: ClientFrame): boolean;
}

export class Watching {
  readonly #around: WatchingSurroundings;
  #unsubscribe: (() => void) | null = null;
  #cancelTimer: (() => void) | null = null;
  /** What this session was told to watch, as the server has it. */
  #told = '';
  #ref: number | null = null;
  #lookedAt: Pick<State, 'direct' | 'open'> | null = null;

  constructor(around: WatchingSurroundings) {
    this.#around = around;
  }

  live(): void {
    this.#told = '';
    this.#lookedAt = null;
    this.#unsubscribe ??= this.#around.store.subscribe(() => this.#look());
    this.#look();
  }

  down(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#ref = null;
  }

  answered(frame: OkFrame | ErrorFrame): void {
    if (frame.ref === undefined || frame.ref !== this.#ref) return;
    this.#ref = null;
    if (frame.type === 'error' && frame.temporary) {
      this.#told = '';
      this.#tellIn(frame.retryAfterMs ?? RETRY_MS);
    }
  }

  #look(): void {
    const { direct, open } = this.#around.store.state;
    if (this.#lookedAt?.direct === direct && this.#lookedAt.open === open) return;
    this.#lookedAt = { direct, open };
    if (this.#cancelTimer === null) this.#tellIn(GATHER_MS);
  }

  #tellIn(ms: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#around.environment.after(ms, () => {
      this.#cancelTimer = null;
      this.#tell();
    });
  }

  #tell(): void {
    const users = watched(this.#around.store.state);
    const told = users.toSorted().join(',');
    if (told === this.#told) return;
    const ref = this.#around.nextRef();
    if (!this.#around.send({ type: 'watch', ref, users })) return;
    this.#ref = ref;
    this.#told = told;
  }
}

/** The open conversation first, then the others by their last activity. */
export function watched(state: State): string[] {
  const users = new Set(peopleOfKey(state.open));
  const active = [...state.conversations.values()]
    .filter(({ kind }) => kind === 'direct')
    .sort((a, b) => (a.lastActivity < b.lastActivity ? 1 : -1));
  for (const { participants } of active) for (const user of participants) users.add(user);
  users.delete(state.me);
  return [...users].slice(0, MAX_WATCHED);
}
