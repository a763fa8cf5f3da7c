/** Whose presence this session follows: the people whom one talks to, and those beside the conversation; at most 500. */
import type { Environment } from '../net/environment.ts';
import type { ClientFrame, ErrorFrame, OkFrame } from '../net/frames.ts';
import { MAX_WATCHED_USERS } from '../net/wire/generated.ts';
import { peopleOfKey, type State } from '../store/state.ts';
import type { Store } from '../store/store.ts';

/** Changes that come together make one command. */
const GATHER_MS = 200;
const RETRY_MS = 5_000;

export interface WatchingSurroundings {
  environment: Environment;
  store: Store;
  nextRef(): number;
  send(frame: ClientFrame): boolean;
  /** These are followed again; what became of them while there was no session, nobody told. */
  followedAgain(people: readonly string[]): void;
}

export class Watching {
  readonly #around: WatchingSurroundings;
  #unsubscribe: (() => void) | null = null;
  #cancelTimer: (() => void) | null = null;
  /** What this session was told to watch, as the server has it. */
  #told = '';
  #ref: number | null = null;
  /** There was a session before this one, and in this one nobody is followed yet. */
  #missed = false;
  #lookedAt: Pick<State, 'direct' | 'open' | 'beside' | 'names'> | null = null;

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
    this.#missed = true;
  }

  answered(frame: OkFrame | ErrorFrame): void {
    if (frame.ref === undefined || frame.ref !== this.#ref) return;
    this.#ref = null;
    if (frame.type === 'ok') {
      const people = this.#told.split(',');
      this.#around.store.apply({ type: 'followed', people });
      if (this.#missed) this.#around.followedAgain(people);
      this.#missed = false;
    } else if (frame.temporary) {
      this.#told = '';
      this.#tellIn(frame.retryAfterMs ?? RETRY_MS);
    }
  }

  #look(): void {
    const { direct, open, beside, names } = this.#around.store.state;
    const before = this.#lookedAt;
    if (
      before?.direct === direct &&
      before.open === open &&
      before.beside === beside &&
      before.names === names
    )
      return;
    this.#lookedAt = { direct, open, beside, names };
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

/**
 * The open conversation first, then the others by their last activity, then who is beside. Whom an address names may be
 * nobody, and a question about nobody is refused whole: only those who were met are asked for.
 */
export function watched(state: State): string[] {
  const users = new Set(peopleOfKey(state.open).filter((user) => state.names.has(user)));
  const active = [...state.conversations.values()]
    .filter(({ kind }) => kind === 'direct')
    .sort((a, b) => (a.lastActivity < b.lastActivity ? 1 : -1));
  for (const { participants } of active) for (const user of participants) users.add(user);
  for (const user of state.beside) users.add(user);
  users.delete(state.me);
  // Who was erased has no handle any more.
  users.delete('');
  return [...users].slice(0, MAX_WATCHED_USERS);
}
