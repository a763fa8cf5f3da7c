/**
 * Read markers on their way out. Only the furthest one of a conversation, or of a thread, matters, so at most one waits and
 * one is under way for each; a retry keeps its id as long as it says the same. What waits is kept over a reload.
 */
import { reconnectDelayMs } from '../net/backoff.ts';
import type { Environment } from '../net/environment.ts';
import type { ClientFrame, ErrorFrame, OkFrame } from '../net/frames.ts';
import { attempt, fields, orNull, text, whole } from '../net/wire/read.ts';
import { type Keep, Shelf } from './database.ts';

/** The server keeps at most one marker per conversation in 5 s; asking much oftener helps nobody. */
const SPACING_MS = 1_000;
/** What is told to wait longer has an id of a time that is still to come (CMD2), and gets another one. */
const MAX_PATIENCE_MS = 60_000;
/** Conversations and threads. */
const MAX_MARKS = 200;

/** How far this person has read: in the conversation, or in one of its threads. */
export interface ReadUpTo {
  conversation: string;
  thread: number | null;
  read: number;
}

const stored = fields({ conversation: text, thread: orNull(whole), read: whole });

interface Mark {
  of: Omit<ReadUpTo, 'read'>;
  wanted: number;
  /** What the last command said, until it is answered. */
  said: { id: string; read: number; ref: number | null } | null;
  confirmed: number;
  notBefore: number;
  refusals: number;
}

export interface MarksSurroundings {
  environment: Environment;
  keep: Pick<Keep, 'database'>;
  makeId(): string;
  nextRef(): number;
  send(frame: ClientFrame): boolean;
  /** It is in the log, or another marker that covers it. */
  marked(upTo: ReadUpTo, ok: OkFrame): void;
}

export class Marks {
  readonly #around: MarksSurroundings;
  readonly #shelf: Shelf<ReadUpTo & { key: string }>;
  readonly #marks = new Map<string, Mark>();
  #cancelTimer: (() => void) | null = null;
  #live = false;
  #closed = false;

  constructor(around: MarksSurroundings) {
    this.#around = around;
    this.#shelf = new Shelf(around.keep.database, 'marks');
  }

  mark(conversation: string, read: number, thread: number | null = null): void {
    if (this.#closed) return;
    const of = { conversation, thread };
    const key = keyOf(of);
    const held = this.#marks.get(key);
    if (held !== undefined && read <= held.wanted) return;
    if (held === undefined && this.#marks.size >= MAX_MARKS) this.#forgetOldest();
    const mark = held ?? { of, wanted: 0, said: null, confirmed: 0, notBefore: 0, refusals: 0 };
    this.#marks.set(key, { ...mark, wanted: read });
    this.#write(this.#shelf.put({ key, ...of, read }));
    this.#pump();
  }

  /** What is not known to be in the log. */
  get waiting(): ReadUpTo[] {
    return [...this.#marks.values()]
      .filter(({ wanted, confirmed }) => wanted > confirmed)
      .map(({ of, wanted }) => ({ ...of, read: wanted }));
  }

  /** Takes over what earlier pages left behind. */
  async adopt(): Promise<void> {
    const found = await this.#shelf.all().catch((): unknown[] => []);
    if (this.#closed) return;
    for (const value of found.slice(0, MAX_MARKS)) {
      const upTo = attempt(stored, value);
      if (upTo !== null) this.mark(upTo.conversation, upTo.read, upTo.thread);
    }
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

  close(): void {
    this.down();
    this.#closed = true;
  }

  /** Forgets everything, also on disk. */
  async clear(): Promise<void> {
    this.close();
    await this.#shelf.clear();
  }

  /** The log is another one: what was to be marked is something else there. */
  forget(): void {
    for (const key of this.#marks.keys()) this.#write(this.#shelf.remove(key));
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
      if (delay > MAX_PATIENCE_MS) mark.said = null;
      mark.refusals += 1;
      mark.notBefore = environment.now() + Math.min(delay, MAX_PATIENCE_MS);
      return;
    }
    // A marker that is refused for good is let go: the next one says more.
    mark.confirmed = Math.max(mark.confirmed, said.read);
    mark.said = null;
    mark.refusals = 0;
    if (mark.wanted <= mark.confirmed) this.#write(this.#shelf.remove(keyOf(mark.of)));
    if (frame.type === 'ok') this.#around.marked({ ...mark.of, read: said.read }, frame);
  }

  #pump(): void {
    if (!this.#live) return;
    const now = this.#around.environment.now();
    let next = Number.POSITIVE_INFINITY;
    for (const mark of this.#marks.values()) {
      if (mark.wanted <= mark.confirmed || (mark.said !== null && mark.said.ref !== null)) continue;
      if (mark.notBefore > now) next = Math.min(next, mark.notBefore);
      else this.#say(mark, now);
    }
    this.#cancelTimer?.();
    if (next < Number.POSITIVE_INFINITY) {
      this.#cancelTimer = this.#around.environment.after(next - now, () => this.#pump());
    }
  }

  #say(mark: Mark, now: number): void {
    const again = mark.said?.read === mark.wanted ? mark.said.id : null;
    const ref = this.#around.nextRef();
    const said = { id: again ?? this.#around.makeId(), read: mark.wanted, ref };
    mark.said = said;
    mark.notBefore = now + SPACING_MS;
    const { conversation, thread } = mark.of;
    const frame = { type: 'mark', ref, id: said.id, conversation, read: said.read } as const;
    this.#around.send(thread === null ? frame : { ...frame, thread });
  }

  /** Where it is still to be said, the next reading of that conversation says more. */
  #forgetOldest(): void {
    const oldest = this.#marks.keys().next().value;
    if (oldest === undefined) return;
    this.#marks.delete(oldest);
    this.#write(this.#shelf.remove(oldest));
  }

  #write(written: Promise<void>): void {
    // A full or broken disk: it still leaves, it just would not outlive the page.
    written.catch(() => {});
  }
}

function keyOf({ conversation, thread }: Omit<ReadUpTo, 'read'>): string {
  return thread === null ? conversation : `${conversation} ${thread}`;
}
