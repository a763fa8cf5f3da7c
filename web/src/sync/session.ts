/** Who is logged in to this page: nobody knows yet, nobody, or somebody with a client of their own. */
import { type Auth, isDenied } from '../net/auth.ts';
import { reconnectDelayMs } from '../net/backoff.ts';
import type { LoggedOut } from '../net/codes.ts';
import type { Environment } from '../net/environment.ts';
import { type Fault, faultOf, Problem, problemIn } from '../net/problem.ts';
import type { Client } from './client.ts';

export type SessionPhase =
  | { name: 'restoring'; retryAt: number | null; fault: Fault | null }
  | { name: 'signed_out'; reason: LoggedOut | null }
  | { name: 'signed_in'; client: Client };

/** Whoever waits for the server longer than this sees meanwhile what this device knows. */
const PATIENCE_MS = 2_000;

/** Who was logged in on this device last, also before the server has said that they still are. */
export interface LastUser {
  get(): string | null;
  set(user: string | null): void;
}

export class Session {
  readonly #auth: Auth;
  readonly #environment: Environment;
  readonly #makeClient: (user: string) => Client;
  readonly #lastUser: LastUser;
  #phase: SessionPhase = { name: 'restoring', retryAt: null, fault: null };
  #attempt = 0;
  #cancelTimer: (() => void) | null = null;
  readonly #listeners = new Set<() => void>();

  constructor(
    auth: Auth,
    environment: Environment,
    lastUser: LastUser,
    makeClient: (user: string) => Client,
  ) {
    this.#auth = auth;
    this.#environment = environment;
    this.#lastUser = lastUser;
    this.#makeClient = makeClient;
  }

  get phase(): SessionPhase {
    return this.#phase;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /**
   * Asks with the cookie, until the server says yes or no. While it says nothing, who was here last goes on with what this
   * device keeps for them.
   */
  async restore(): Promise<void> {
    if (this.#phase.name !== 'restoring') return;
    this.#cancelTimer?.();
    this.#become({ name: 'restoring', retryAt: null, fault: null });
    const last = this.#lastUser.get();
    const cancel = this.#environment.after(PATIENCE_MS, () => this.#goAhead());
    try {
      await this.#auth.refresh();
    } catch (error) {
      if (this.#phase.name !== 'restoring') return;
      if (error instanceof Problem && isDenied(error)) {
        if (last !== null) this.#forget(last);
        this.#signOut(last, null);
      } else if (!this.#goAhead()) this.#restoreLater(problemIn(error));
      return;
    } finally {
      cancel();
    }
    if (this.#phase.name === 'restoring') this.#signIn(this.#auth.user);
  }

  async register(handle: string, password: string, displayName: string): Promise<void> {
    this.#signIn(await this.#auth.register(handle, password, displayName));
  }

  async login(handle: string, password: string): Promise<void> {
    this.#signIn(await this.#auth.login(handle, password));
  }

  /** Ends the session on the server and forgets what was waiting on this device. Throws where it could not. */
  async logout(): Promise<void> {
    const phase = this.#phase;
    if (phase.name !== 'signed_in') return;
    await this.#auth.logout();
    // The server's own word that the session ended may have come first.
    phase.client.close();
    await phase.client.wipe();
    this.#signOut(phase.client.me, null);
  }

  /** False where nobody was here before. */
  #goAhead(): boolean {
    const user = this.#lastUser.get();
    if (this.#phase.name !== 'restoring' || user === null) return false;
    this.#auth.goOnAs(user);
    this.#signIn(user);
    return true;
  }

  #signIn(user: string | null): void {
    if (user === null) return;
    const last = this.#lastUser.get();
    if (last !== null && last !== user) this.#forget(last);
    this.#lastUser.set(user);
    const client = this.#makeClient(user);
    client.onConnection(() => {
      const { phase } = client.connection;
      if (phase.name !== 'logged_out' || this.#phase.name !== 'signed_in' || this.#phase.client !== client)
        return;
      client.close();
      void client.forget();
      this.#auth.forget();
      this.#signOut(user, phase.reason);
    });
    this.#become({ name: 'signed_in', client });
    client.start();
  }

  /** Another tab may have logged in somebody else meanwhile: that one is still the last. */
  #signOut(user: string | null, reason: LoggedOut | null): void {
    if (this.#lastUser.get() === user) this.#lastUser.set(null);
    this.#become({ name: 'signed_out', reason });
  }

  /** Somebody whose session ended before this page began: what they could see is not left on this device. */
  #forget(user: string): void {
    const client = this.#makeClient(user);
    client.close();
    void client.forget();
  }

  #restoreLater(problem: Problem): void {
    const delay = problem.retryAfterMs ?? reconnectDelayMs(this.#attempt, this.#environment.random());
    this.#attempt += 1;
    const fault = faultOf(problem);
    this.#become({ name: 'restoring', retryAt: this.#environment.now() + delay, fault });
    this.#cancelTimer = this.#environment.after(delay, () => void this.restore());
  }

  #become(phase: SessionPhase): void {
    this.#phase = phase;
    for (const listener of this.#listeners) listener();
  }
}
