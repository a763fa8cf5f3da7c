/** Asks history again and again where the trouble is temporary, for as long as the answer is still wanted. */
import { reconnectDelayMs } from '../../net/backoff.ts';
import type { Environment } from '../../net/environment.ts';
import type { ConversationItem, MessageItem, Page } from '../../net/frames.ts';
import type { History } from '../../net/history.ts';
import { type Fault, faultOf, problemIn } from '../../net/problem.ts';
import type { Store } from '../../store/store.ts';
import { asOfNow } from './question.ts';

export interface ReaderSurroundings {
  me: string;
  environment: Environment;
  history: History;
  store: Store;
  /** How far the session is: what a frame has told is in what is read after it. */
  position(): string | null;
  /** Own messages that a page shows are in the log, whatever became of their `ok`. */
  seen(id: string): void;
}

export class Persist {
  readonly around: ReaderSurroundings;
  readonly #wakers = new Set<() => void>();
  #closed = false;

  constructor(around: ReaderSurroundings) {
    this.around = around;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Null when the answer is no longer wanted, or a final no; `failed` is told each time why there is none yet. */
  async ask<T>(
    wanted: () => boolean,
    ask: () => Promise<T>,
    failed: (fault: Fault) => void = () => {},
  ): Promise<T | null> {
    const stillWanted = () => !this.#closed && wanted();
    for (let attempt = 0; ; attempt += 1) {
      try {
        const answer = await ask();
        return stillWanted() ? answer : null;
      } catch (error) {
        const problem = problemIn(error);
        if (!stillWanted()) return null;
        failed(faultOf(problem));
        if (!problem.temporary) return null;
        await this.#wait(problem.retryAfterMs ?? reconnectDelayMs(attempt, this.around.environment.random()));
        if (!stillWanted()) return null;
      }
    }
  }

  /** The position that makes an answer as new as what the session has told. */
  asNewAsSession(): string | null {
    return asOfNow(this.around).minPosition;
  }

  /** Whether no reset has come since. */
  sameGeneration(generation: number): () => boolean {
    return () => this.around.store.state.generation === generation;
  }

  /** Whatever waits for its next attempt makes it now. */
  wake(): void {
    for (const waker of [...this.#wakers]) waker();
  }

  close(): void {
    this.#closed = true;
    this.wake();
  }

  seenInPage(items: readonly Pick<MessageItem, 'sender' | 'id'>[]): void {
    for (const { sender, id } of items) if (sender === this.around.me) this.around.seen(id);
  }

  seenInList(items: readonly ConversationItem[]): void {
    this.seenInPage(items.flatMap(({ lastMessage }) => (lastMessage === null ? [] : [lastMessage])));
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#wakers.delete(done);
        resolve();
      };
      const cancel = this.around.environment.after(ms, done);
      this.#wakers.add(done);
    });
  }
}

/** Everybody who is named in these, in their order. */
export function peopleInPage({ items }: Page<MessageItem>): string[] {
  return items.flatMap(({ sender, reply }) => (reply === null ? [sender] : [sender, reply.sender]));
}

export function peopleInList(items: readonly ConversationItem[]): string[] {
  const speakers = ({ room, lastMessage }: ConversationItem) =>
    room === null || lastMessage === null ? [] : [lastMessage.sender];
  return items.flatMap((item) => [...item.participants, ...speakers(item)]);
}
