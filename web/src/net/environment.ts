/** Clock, timers and randomness as values, so that tests decide what time it is. */
export interface Environment {
  /** Milliseconds since 1970 on this machine's clock, and never less than before. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** Runs `fire` once after `ms`; the answer cancels it. */
  after(ms: number, fire: () => void): () => void;
  /** Runs `fire` once, before the next picture is drawn; soon, where nothing is drawn. */
  frame(fire: () => void): void;
}

/** A tab that nobody sees draws nothing, but its title and what it says aloud go on. */
const UNSEEN_FRAME_MS = 200;

export const browserEnvironment: Environment = {
  now: steady(() => Date.now()),
  random: () => Math.random(),
  after(ms, fire) {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
  frame(fire) {
    const once = () => {
      cancelAnimationFrame(drawn);
      clearTimeout(timer);
      fire();
    };
    const drawn = requestAnimationFrame(once);
    const timer = setTimeout(once, UNSEEN_FRAME_MS);
  },
};

/** A clock that is put back goes on from where it was: else what waits for a moment would wait for as long again. */
export function steady(clock: () => number): () => number {
  let [last, back] = [clock(), 0];
  return () => {
    const now = clock();
    back = Math.max(back, last - now);
    last = now + back;
    return last;
  };
}
