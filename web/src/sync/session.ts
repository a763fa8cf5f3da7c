/** Who is logged in to this page: nobody knows yet, nobody, or somebody with a client of their own. */
import { type Auth, isDenied } from '../net/auth.ts';
import { reconnectDelayMs } from '../net/backoff.ts';
import type { Environment } from '../net/environment.ts';
import { Problem } from '../net/problem.ts';
import type { Client } from './client.ts';

export type SessionPhase =
  | { name: 'restoring'; retryAt: number | null; problem: string | null }
  | { name: 'signed_out'; notice: string | null }
  | { name: 'signed_in'; client: Client };

export class Session {
  readonly #auth: Auth;
  readonly #environment: Environment;
  readonly #makeClient: (user: string) => Client;
  #phase: SessionPhase = { name: 'restoring', retryAt: null, problem: null };
  #attempt = 0;
  #cancelTimer: (() => void) | null = null;
  readonly #listeners = new Set<() => void>();

  constructor(auth: Auth, environment: Environment, makeClient: (user: string) => Client) {
    this.#auth = auth;
    this.#environment = environment;
    this.#makeClient = makeClient;
  }

  get phase(): SessionPhase {
    return this.#phase;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Asks with the cookie, until the server says yes or no. */
  async restore(): Promise<void> {
    if (this.#phase.name !== 'restoring') return;
    this.#cancelTimer?.();
    this.#become({ name: 'restoring', retryAt: null, problem: null });
    try {
      await this.#auth.refresh();
    } catch (error) {
      if (this.#phase.name !== 'restoring') return;
      if (error instanceof Problem && isDenied(error)) this.#become({ name: 'signed_out', notice: null });
      else this.#restoreLater(error);
      return;
    }
    if (this.#phase.name === 'restoring') this.#signIn();
  }

  async register(handle: string, password: string, displayName: string): Promise<void> {
    await this.#auth.register(handle, password, displayName);
    this.#signIn();
  }

  async login(handle: string, password: string): Promise<void> {
    await this.#auth.login(handle, password);
    this.#signIn();
  }

  /** Ends the session on the server and forgets what was waiting on this device. Throws where it could not. */
  async logout(): Promise<void> {
    const phase = this.#phase;
    if (phase.name !== 'signed_in') return;
    await this.#auth.logout();
    // The server's own word that the session ended may have come first.
    phase.client.close();
    await phase.client.outbox.clear().catch(() => {});
    this.#become({ name: 'signed_out', notice: null });
  }

  #signIn(): void {
    const { user } = this.#auth;
    if (user === null) return;
    const client = this.#makeClient(user);
    client.onConnection(() => {
      const { phase } = client.connection;
      if (phase.name !== 'logged_out' || this.#phase.name !== 'signed_in' || this.#phase.client !== client)
        return;
      client.close();
      this.#auth.forget();
      this.#become({ name: 'signed_out', notice: phase.reason });
    });
    this.#become({ name: 'signed_in', client });
    client.start();
  }

  #restoreLater(error: unknown): void {
    const delay =
      (error instanceof Problem ? error.retryAfterMs : undefined) ??
      reconnectDelayMs(this.#attempt, this.#environment.random());
    this.#attempt += 1;
    const problem = error instanceof Error ? error.message : 'Natter can’t be reached right now.';
    this.#become({ name: 'restoring', retryAt: this.#environment.now() + delay, problem });
    this.#cancelTimer = this.#environment.after(delay, () => void this.restore());
  }

  #become(phase: SessionPhase): void {
    this.#phase = phase;
    for (const listener of this.#listeners) listener();
  }
}
