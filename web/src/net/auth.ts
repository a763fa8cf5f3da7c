import type { LoggedOut } from './codes.ts';
import type { Token } from './connection/state.ts';
import type { Environment } from './environment.ts';
import type { Http } from './http.ts';
import { Problem } from './problem.ts';
import type * as Wire from './wire/generated.ts';
import { object, text, whole } from './wire/read.ts';

const tokens = object<Wire.Tokens>()({ access_token: text, expires_in: whole, user: text });

/** A token with less life than this is renewed before it is used. */
const MARGIN_MS = 10_000;

/**
 * Who is logged in, and the access token that proves it. The token lives in memory only; what outlives the page is
 * the refresh cookie, which scripts can't read.
 */
export class Auth {
  readonly #http: Http;
  readonly #environment: Environment;
  #user: string | null = null;
  #token: Token | null = null;
  #refreshing: Promise<Token> | null = null;
  readonly #onToken = new Set<(token: Token) => void>();
  readonly #onDenied = new Set<(why: LoggedOut) => void>();

  constructor(http: Http, environment: Environment) {
    this.#http = http;
    this.#environment = environment;
  }

  get user(): string | null {
    return this.#user;
  }

  get token(): Token | null {
    return this.#token;
  }

  /** Every new token, whoever asked for it. */
  onToken(listener: (token: Token) => void): () => void {
    this.#onToken.add(listener);
    return () => this.#onToken.delete(listener);
  }

  /** The refresh cookie is gone, ended or someone else's: only logging in helps. */
  onDenied(listener: (why: LoggedOut) => void): () => void {
    this.#onDenied.add(listener);
    return () => this.#onDenied.delete(listener);
  }

  async register(handle: string, password: string, displayName: string): Promise<string> {
    const named = displayName === '' ? {} : { display_name: displayName };
    return this.#enter('/auth/register', { handle, password, ...named });
  }

  async login(handle: string, password: string): Promise<string> {
    return this.#enter('/auth/login', { handle, password });
  }

  /** Single-flight: however many ask at once, one request goes out and all share its outcome. */
  refresh(): Promise<Token> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  /** A token that is good for the next request. */
  async usableToken(): Promise<Token> {
    const token = this.#token;
    if (token !== null && token.expiresAt - this.#environment.now() > MARGIN_MS) return token;
    return this.refresh();
  }

  async logout(): Promise<void> {
    try {
      await this.#http.json({ method: 'POST', path: '/auth/logout' });
    } catch (error) {
      // A session that has ended already is as good as one that ends now.
      if (!(error instanceof Problem) || error.status !== 401) throw error;
    }
    this.forget();
  }

  /** Another password. This session goes on, all others of this person end (HRT4). */
  async changePassword(current: string, next: string): Promise<void> {
    const { value } = await this.usableToken();
    const headers = { Authorization: `Bearer ${value}` };
    await this.#http.json({ method: 'POST', path: '/auth/password', headers, body: { current, new: next } });
  }

  /** Whoever the cookie is of, only this person is meant. */
  goOnAs(user: string): void {
    this.#user = user;
  }

  /** Forgets who was logged in, in this page; the cookie stays. */
  forget(): void {
    this.#token = null;
    this.#user = null;
  }

  async #enter(path: string, body: unknown): Promise<string> {
    const { token, user } = this.#read(await this.#http.json({ method: 'POST', path, body }));
    this.#user = user;
    this.#keep(token);
    return user;
  }

  async #refresh(): Promise<Token> {
    let other: string | null = null;
    try {
      const { token, user } = this.#read(await this.#http.json({ method: 'POST', path: '/auth/refresh' }));
      if (this.#user !== null && this.#user !== user) {
        other = user;
        throw new Problem({ status: 401, code: 'unauthenticated', temporary: false });
      }
      this.#user = user;
      this.#keep(token);
      return token;
    } catch (error) {
      if (error instanceof Problem && isDenied(error)) {
        this.#token = null;
        const why: LoggedOut = other === null ? { why: 'ended' } : { why: 'other_user', user: other };
        for (const listener of this.#onDenied) listener(why);
      }
      throw error;
    }
  }

  #read(answer: unknown): { token: Token; user: string } {
    const { accessToken, expiresIn, user } = tokens(answer, 'token');
    return { token: { value: accessToken, expiresAt: this.#environment.now() + expiresIn * 1000 }, user };
  }

  #keep(token: Token): void {
    this.#token = token;
    for (const listener of this.#onToken) listener(token);
  }
}

/** The server knows this session and says no, as opposed to not being able to say. */
export function isDenied(problem: Problem): boolean {
  return problem.status === 401 || problem.status === 403;
}
