import type { Environment } from '../net/environment.ts';
import type { ClientFrame } from '../net/frames.ts';
import { TYPING_MS } from '../store/fold.ts';
import type { Store } from '../store/store.ts';

/** How often the others are told that somebody still types; they believe it for 5 s. */
const TYPING_EVERY_MS = 3_000;

export interface TypingSurroundings {
  environment: Environment;
  store: Store;
  nextRef(): number;
  send(frame: ClientFrame): boolean;
}

/** Tells the others that somebody types here, and forgets of the others what they did not tell again. */
export class Typing {
  readonly #around: TypingSurroundings;
  /** When it was told last, by conversation. */
  readonly #told = new Map<string, number>();
  #cancelTick: (() => void) | null = null;

  constructor(around: TypingSurroundings) {
    this.#around = around;
  }

  tell(conversation: string): void {
    const { environment, nextRef, send } = this.#around;
    const now = environment.now();
    const since = now - (this.#told.get(conversation) ?? 0);
    // Below nought the clock was put back.
    if (since >= 0 && since < TYPING_EVERY_MS) return;
    if (send({ type: 'typing', ref: nextRef(), conversation })) this.#told.set(conversation, now);
  }

  /** What was typed is said: whatever comes next is told at once. */
  said(conversation: string): void {
    this.#told.delete(conversation);
  }

  /** Somebody else types. */
  heard(): void {
    const { environment, store } = this.#around;
    this.#cancelTick?.();
    this.#cancelTick = environment.after(TYPING_MS, () => {
      store.apply({ type: 'tick', now: environment.now() });
      if (store.state.typing.size > 0) this.heard();
    });
  }

  close(): void {
    this.#cancelTick?.();
  }
}
