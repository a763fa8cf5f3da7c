import type { Environment } from '../net/environment.ts';

/** A clock that stands still until a test moves it; timers fire in their order as it passes them. */
export class ManualClock implements Environment {
  time: number;
  nextRandom = 0.5;
  #timers: { at: number; fire: () => void }[] = [];

  constructor(time = Date.parse('2026-05-01T12:00:00Z')) {
    this.time = time;
  }

  now(): number {
    return this.time;
  }

  random(): number {
    return this.nextRandom;
  }

  after(ms: number, fire: () => void): () => void {
    const timer = { at: this.time + ms, fire };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((held) => held !== timer);
    };
  }

  /** At once: what tests see is always drawn. */
  frame(fire: () => void): void {
    fire();
  }

  get pending(): number {
    return this.#timers.length;
  }

  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((held) => held !== due);
      this.time = Math.max(this.time, due.at);
      due.fire();
    }
    this.time = end;
  }
}

/** Lets promises that are ready run: no time passes. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}

/** 1, 2, 3 … */
export function counter(): () => number {
  let last = 0;
  return () => {
    last += 1;
    return last;
  };
}
