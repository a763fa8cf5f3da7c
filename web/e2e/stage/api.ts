/** The doors for programs: what somebody does without a page. */
import { Uuid7 } from '../../src/outbox/uuid7.ts';
import { PASSWORD } from './person/account.ts';
import type { Person } from './person.ts';

/** How often what is too much for now is tried. */
const MAX_ATTEMPTS = 5;

export class Api {
  readonly #url: string;
  readonly token: string;
  readonly #ids = new Uuid7((bytes) => void crypto.getRandomValues(bytes));

  private constructor(url: string, token: string) {
    this.#url = url;
    this.token = token;
  }

  static async of({ handle }: Person, url: string): Promise<Api> {
    const { access_token } = await ask(`${url}/auth/login`, 'POST', {}, { handle, password: PASSWORD });
    return new Api(url, String(access_token));
  }

  /** The HTTP twin of a command, with an id of its own: beside its fields, or in the address where it has none. */
  command(method: string, path: string, fields?: object): Promise<Record<string, unknown>> {
    const id = this.#ids.make(Date.now());
    const headers = { Authorization: `Bearer ${this.token}` };
    return fields === undefined
      ? ask(`${this.#url}${path}?id=${id}`, method, headers)
      : ask(`${this.#url}${path}`, method, headers, { id, ...fields });
  }
}

async function ask(
  url: string,
  method: string,
  headers: Record<string, string>,
  body?: object,
  attempt = 1,
): Promise<Record<string, unknown>> {
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await fetch(url, {
    method,
    headers: { ...headers, 'Content-Type': 'application/json' },
    ...content,
  });
  const patience = Number(answer.headers.get('Retry-After'));
  // CMD5: as a program should, with the same id.
  if (answer.status === 429 && patience > 0 && attempt < MAX_ATTEMPTS) {
    await new Promise((resolve) => setTimeout(resolve, patience * 1000));
    return ask(url, method, headers, body, attempt + 1);
  }
  if (!answer.ok)
    throw new Error(`${method} ${new URL(url).pathname}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Record<string, unknown>;
}
