import type { Environment } from './environment.ts';
import { problemOf, unreachable } from './problem.ts';

/** One request that has gone nowhere after this long counts as not answered. */
const TIMEOUT_MS = 15_000;
/** Named on every request: a page of another origin can't set it without being asked about by the browser. */
const CLIENT_HEADER = { 'Natter-Client': 'web/0.1' } as const;

export type Fetch = (path: string, init: RequestInit) => Promise<Response>;

export interface Request {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: unknown;
  signal?: AbortSignal | undefined;
}

/** Sends one request and reads its JSON answer; anything but success is a thrown `Problem`. */
export class Http {
  readonly #environment: Environment;
  readonly #fetch: Fetch;

  constructor(environment: Environment, fetch: Fetch) {
    this.#environment = environment;
    this.#fetch = fetch;
  }

  async json(request: Request): Promise<unknown> {
    const abort = new AbortController();
    const cancel = this.#environment.after(TIMEOUT_MS, () => abort.abort());
    const forward = () => abort.abort();
    request.signal?.addEventListener('abort', forward);
    try {
      const response = await this.#fetch(request.path, this.#init(request, abort.signal));
      if (!response.ok) throw await problemOf(response);
      if (response.status === 204) return null;
      return await response.json();
    } catch (error) {
      // fetch rejects with TypeError where there is no answer, with AbortError after the timeout, and json()
      // with SyntaxError where something else than Natter answered: a captive portal, a proxy's own page.
      const silent =
        error instanceof TypeError || error instanceof SyntaxError || error instanceof DOMException;
      throw silent ? unreachable() : error;
    } finally {
      cancel();
      request.signal?.removeEventListener('abort', forward);
    }
  }

  #init(request: Request, signal: AbortSignal): RequestInit {
    const headers: Record<string, string> = { ...CLIENT_HEADER, ...request.headers };
    const init: RequestInit = { method: request.method, headers, signal, cache: 'no-store' };
    if (request.body === undefined) return init;
    headers['Content-Type'] = 'application/json';
    return { ...init, body: JSON.stringify(request.body) };
  }
}
