import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock, settle } from '../testing/clock.ts';
import { Auth } from './auth.ts';
import type { LoggedOut } from './codes.ts';
import { History } from './history.ts';
import { Http } from './http.ts';
import { Problem } from './problem.ts';

interface Asked {
  path: string;
  init: RequestInit;
  answer(response: Response): void;
  fail(error: unknown): void;
}

let clock: ManualClock;
let asked: Asked[];
let auth: Auth;
let history: History;

beforeEach(() => {
  clock = new ManualClock();
  asked = [];
  const http = new Http(
    clock,
    (path, init) =>
      new Promise((answer, fail) => {
        init.signal?.addEventListener('abort', () => fail(new DOMException('aborted', 'AbortError')));
        asked.push({ path, init, answer, fail });
      }),
  );
  auth = new Auth(http, clock);
  history = new History(http, auth);
});

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers });
const tokens = (token = 'jwt', user = 'alice') => json(200, { access_token: token, expires_in: 900, user });
const problem = (status: number, code: string, more: object = {}) =>
  json(status, { title: 'No', code, temporary: false, ...more });
const last = () => {
  const found = asked.at(-1);
  if (found === undefined) throw new Error('nothing was asked');
  return found;
};
const header = (name: string) => new Headers(last().init.headers).get(name);
const loggedIn = async () => {
  const login = auth.login('alice', 'secret');
  last().answer(tokens());
  await login;
};

describe('auth', () => {
  it('logs_in_with_handle_and_password_and_keeps_the_token_in_memory', async () => {
    const login = auth.login('alice', 'secret');
    expect(last().path).toBe('/auth/login');
    expect(last().init.body).toBe('{"handle":"alice","password":"secret"}');
    last().answer(tokens());
    expect(await login).toBe('alice');
    expect(auth.token).toEqual({ value: 'jwt', expiresAt: clock.now() + 900_000 });
  });

  it('registers_with_a_display_name_only_where_there_is_one', () => {
    void auth.register('alice', 'secret', '');
    expect(last().init.body).toBe('{"handle":"alice","password":"secret"}');
    void auth.register('alice', 'secret', 'Alice A.');
    expect(last().init.body).toBe('{"handle":"alice","password":"secret","display_name":"Alice A."}');
  });

  it('refreshes_by_cookie_without_a_body_and_with_the_guard_header', () => {
    void auth.refresh();
    expect(last().init).toMatchObject({ method: 'POST', cache: 'no-store' });
    expect(last().init.body).toBeUndefined();
    expect(header('Natter-Client')).toBe('web/0.1');
  });

  it('refresh_is_single_flight', async () => {
    const first = auth.refresh();
    const second = auth.refresh();
    expect(asked).toHaveLength(1);
    last().answer(tokens());
    expect(await first).toBe(await second);
    void auth.refresh();
    expect(asked).toHaveLength(2);
  });

  it('says_when_the_session_is_over_but_not_when_nobody_answers', async () => {
    const denied: LoggedOut[] = [];
    auth.onDenied((why) => denied.push(why));
    const away = auth.refresh();
    last().fail(new TypeError('failed to fetch'));
    await expect(away).rejects.toMatchObject({ code: 'unreachable', temporary: true });
    const broken = auth.refresh();
    last().answer(problem(503, 'unavailable', { temporary: true, retry_after_ms: 1_500 }));
    await expect(broken).rejects.toMatchObject({ temporary: true, retryAfterMs: 1_500 });
    expect(denied).toEqual([]);
    const over = auth.refresh();
    last().answer(problem(401, 'unauthenticated'));
    await expect(over).rejects.toBeInstanceOf(Problem);
    expect(denied).toEqual([{ why: 'ended' }]);
  });

  it('does_not_go_on_as_somebody_else_who_logged_in_from_another_tab', async () => {
    await loggedIn();
    const denied: LoggedOut[] = [];
    auth.onDenied((why) => denied.push(why));
    const refresh = auth.refresh();
    last().answer(tokens('jwt2', 'mallory'));
    await expect(refresh).rejects.toMatchObject({ status: 401, code: 'unauthenticated' });
    expect(denied).toEqual([{ why: 'other_user', user: 'mallory' }]);
    expect(auth.token).toBeNull();
  });

  it('a_logout_that_finds_no_session_is_done_and_one_without_an_answer_is_not', async () => {
    await loggedIn();
    const unheard = auth.logout();
    last().fail(new TypeError('failed to fetch'));
    await expect(unheard).rejects.toMatchObject({ code: 'unreachable' });
    expect(auth.user).toBe('alice');
    const over = auth.logout();
    last().answer(problem(401, 'unauthenticated'));
    await over;
    expect(auth.user).toBeNull();
  });
});

describe('http', () => {
  it('reads_a_problem_document', async () => {
    const login = auth.login('alice', 'secret');
    last().answer(
      problem(429, 'rate_limited', { detail: 'Slow down', temporary: true, retry_after_ms: 900 }),
    );
    await expect(login).rejects.toMatchObject({
      status: 429,
      code: 'rate_limited',
      message: 'Slow down',
      temporary: true,
      retryAfterMs: 900,
    });
  });

  it.each([502, 503, 504])('a_proxys_own_%d_is_temporary_and_retry_after_counts', async (status) => {
    const login = auth.login('alice', 'secret');
    last().answer(new Response('<h1>Bad gateway</h1>', { status, headers: { 'Retry-After': '2' } }));
    await expect(login).rejects.toMatchObject({ code: 'unreachable', temporary: true, retryAfterMs: 2_000 });
  });

  it('a_page_that_is_not_natter_counts_as_no_answer', async () => {
    const login = auth.login('alice', 'secret');
    last().answer(new Response('<h1>Welcome to our Wi-Fi</h1>', { status: 200 }));
    await expect(login).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('gives_up_after_15_s', async () => {
    const login = auth.login('alice', 'secret');
    clock.advance(15_000);
    await expect(login).rejects.toMatchObject({ code: 'unreachable' });
    expect(clock.pending).toBe(0);
  });
});

describe('history', () => {
  const empty = () => json(200, { items: [], next: null, position: 'p9' });

  it('hst2_asks_with_the_token_and_the_least_position', async () => {
    await loggedIn();
    const page = history.conversations(null, { minPosition: 'p7' });
    await settle();
    expect(last().path).toBe('/history/conversations?limit=100');
    expect(header('Authorization')).toBe('Bearer jwt');
    expect(header('Natter-Min-Position')).toBe('p7');
    last().answer(empty());
    expect(await page).toEqual({ items: [], next: null, position: 'p9' });
  });

  it('asks_by_people_by_seq_and_by_prefix', async () => {
    await loggedIn();
    void history.direct(['alice', 'bob'], { minPosition: null });
    void history.messages('c 1', { before: 42 }, { minPosition: null });
    void history.messages('c', { around: 7, thread: 3 }, { minPosition: null, cursor: 'n' });
    void history.threads('c', { minPosition: null });
    void history.pins('c', { minPosition: null });
    void history.members('c', { role: 'owner', prefix: 'b' }, { minPosition: null });
    void history.bans('c', { minPosition: null, cursor: 'n' });
    void history.search({ q: 'two words', from: 'bob' }, { minPosition: null });
    void history.rooms('', { minPosition: null, archived: true });
    void history.room('c', { minPosition: null });
    void history.people('b&b', { minPosition: null });
    await settle();
    expect(asked.slice(1).map(({ path }) => path)).toEqual([
      '/history/direct?participants=alice%2Cbob&limit=50',
      '/history/conversations/c%201/messages?limit=50&before=42',
      '/history/conversations/c/messages?limit=50&around=7&thread=3&cursor=n',
      '/history/conversations/c/threads?limit=50',
      '/history/conversations/c/pins?limit=50',
      '/history/conversations/c/members?limit=100&role=owner&prefix=b',
      '/history/conversations/c/bans?limit=100&cursor=n',
      '/history/search?limit=30&q=two+words&from=bob',
      '/history/rooms?limit=20&archived=true',
      '/history/rooms/c',
      '/history/users?prefix=b%26b&limit=20',
    ]);
    expect(header('Natter-Min-Position')).toBeNull();
  });

  it('a_401_is_settled_by_one_refresh', async () => {
    await loggedIn();
    const page = history.conversations(null, { minPosition: null });
    await settle();
    last().answer(problem(401, 'unauthenticated'));
    await settle();
    expect(last().path).toBe('/auth/refresh');
    last().answer(tokens('jwt2'));
    await settle();
    expect(header('Authorization')).toBe('Bearer jwt2');
    last().answer(problem(401, 'unauthenticated'));
    await expect(page).rejects.toMatchObject({ status: 401 });
    expect(asked).toHaveLength(4);
  });

  it('an_old_token_is_renewed_before_it_is_used', async () => {
    await loggedIn();
    clock.advance(895_000);
    void history.conversations(null, { minPosition: null });
    await settle();
    expect(last().path).toBe('/auth/refresh');
  });

  it('an_answer_of_another_shape_is_refused', async () => {
    await loggedIn();
    const page = history.messages('c', {}, { minPosition: null });
    await settle();
    last().answer(json(200, { items: [{ seq: 'one' }], next: null, position: 'p' }));
    await expect(page).rejects.toMatchObject({ name: 'Malformed' });
  });
});
