/** Clock, timers and randomness as values, so that tests decide what time it is. */
export interface Environment {
  /** Milliseconds since 1970 on this machine's clock. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** Runs `fire` once after `ms`; the answer cancels it. */
  after(ms: number, fire: () => void): () => void;
}

export const browserEnvironment: Environment = {
  now: () => Date.now(),
  random: () => Math.random(),
  after(ms, fire) {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
};
