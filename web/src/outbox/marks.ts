/**
 * Read markers on their way out. Only the furthest one of a conversation matters, so at most one waits and one is
 * under way per conversation; a retry keeps its id as long as it says the same.
 */
import { reconnectDelayMs } from '../net/backoff.ts';
import type { Environment } from '../net/environment.ts';
import type { ClientFrame, ErrorFrame, OkFrame } from '../net/frames.ts';

/** The server keeps at most one marker per conversation in 5 s; asking much oftener helps nobody. */
const SPACING_MS = 1_000;
const MAX_CONVERSATIONS = 200;

interface Mark {
  wanted: number;
  /** What the last command said, until it is answered. */
  said: { id: string; read: number; ref: number | null } | null;
  confirmed: number;
  notBefore: number;
  refusals: number;
}

export interface MarksSurroundings {
  environment: Environment;
  makeId(): string;
  nextRef(): number;
  send(frame: ClientFrame): boolean;
}

export class Marks {
  readonly #around: MarksSurroundings;
  readonly #marks = new Map<string, Mark>();
  #cancelTimer: (() => void) | null = null;
  #live = false;

  constructor(around: MarksSurroundings) {
    this.#around = around;
  }

  mark(conversation: string, read: number): void {
    const held = this.#marks.get(conversation);
    if (held !== undefined && read <= held.wanted) return;
    if (held === undefined && this.#marks.size >= MAX_CONVERSATIONS) {
      const oldest = this.#marks.keys().next().value;
      if (oldest !== undefined) this.#marks.delete(oldest);
    }
    const mark = held ?? { wanted: 0, said: null, confirmed: 0, notBefore: 0, refusals: 0 };
    this.#marks.set(conversation, { ...mark, wanted: read });
    this.#pump();
  }

  live(): void {
    this.#live = true;
    this.#pump();
  }

  down(): void {
    this.#live = false;
    this.#cancelTimer?.();
    for (const mark of this.#marks.values()) if (mark.said !== null) mark.said.ref = null;
  }

  /** A reset: what was to be marked may not exist any more. */
  forget(): void {
    this.#marks.clear();
  }

  answered(frame: OkFrame | ErrorFrame): boolean {
    for (const mark of this.#marks.values()) {
      const { said } = mark;
      if (said === null || said.ref === null || said.ref !== frame.ref) continue;
      this.#settle(mark, said, frame);
      this.#pump();
      return true;
    }
    return false;
  }

  #settle(mark: Mark, said: { read: number; ref: number | null }, frame: OkFrame | ErrorFrame): void {
    const { environment } = this.#around;
    if (frame.type === 'error' && (frame.temporary || frame.code === 'unauthenticated')) {
      said.ref = null;
      const delay = frame.retryAfterMs ?? reconnectDelayMs(mark.refusals, environment.random());
      mark.refusals += 1;
      mark.notBefore = environment.now() + delay;
      return;
    }
    // A marker that is refused for good is let go: the next one says more.
    mark.confirmed = Math.max(mark.confirmed, said.read);
    mark.said = null;
    mark.refusals = 0;
  }

  #pump(): void {
    if (!this.#live) return;
    const now = this.#around.environment.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [conversation, mark] of this.#marks) {
      if (mark.wanted <= mark.confirmed || (mark.said !== null && mark.said.ref !== null)) continue;
      if (mark.notBefore > now) next = Math.min(next, mark.notBefore);
      else this.#say(conversation, mark, now);
    }
    this.#cancelTimer?.();
    if (next < Number.POSITIVE_INFINITY) {
      this.#cancelTimer = this.#around.environment.after(next - now, () => this.#pump());
    }
  }

  #say(conversation: string, mark: Mark, now: number): void {
    const again = mark.said?.read === mark.wanted ? mark.said.id : null;
    const ref = this.#around.nextRef();
    const said = { id: again ?? this.#around.makeId(), read: mark.wanted, ref };
    mark.said = said;
    mark.notBefore = now + SPACING_MS;
    this.#around.send({ type: 'mark', ref, id: said.id, conversation, read: said.read });
  }
}
