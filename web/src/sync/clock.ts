import type { Environment } from '../net/environment.ts';

/** The server's clock, as far as a `welcome` has told it. */
export class ServerClock {
  readonly #environment: Pick<Environment, 'now'>;
  #aheadMs = 0;

  constructor(environment: Pick<Environment, 'now'>) {
    this.#environment = environment;
  }

  now(): number {
    return this.#environment.now() + this.#aheadMs;
  }

  /** What the server's clock shows at this moment (RFC 3339). */
  told(time: string): void {
    const shows = Date.parse(time);
    if (Number.isFinite(shows)) this.#aheadMs = shows - this.#environment.now();
  }

  /** When something happened that nobody has told the time of. */
  stamp(): string {
    return new Date(this.now()).toISOString();
  }
}
