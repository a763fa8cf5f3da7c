import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Auth } from '../net/auth.ts';
import type { Socket } from '../net/connection/driver.ts';
import { History } from '../net/history.ts';
import { Http } from '../net/http.ts';
import { Cache } from '../outbox/cache.ts';
import { type Keep, noKeep, openDatabase } from '../outbox/database.ts';
import type { Tabs } from '../outbox/outbox.ts';
import { MemoryStorage } from '../outbox/storage.ts';
import { ManualClock, settle } from '../testing/clock.ts';
import { Client } from './client.ts';
import { Session } from './session.ts';
import { browserTabs } from './tabs.ts';

let clock: ManualClock;
let asked: { path: string; answer(response: Response | TypeError): Promise<void> }[];
let storage: MemoryStorage;
let sockets: Socket[];
let session: Session;
let lastUser: string | null;
let keep: Keep;
let tabs: Tabs;
let ended: boolean;

beforeEach(() => {
  clock = new ManualClock();
  asked = [];
  sockets = [];
  storage = new MemoryStorage();
  lastUser = null;
  keep = noKeep;
  ended = false;
  tabs = {
    ...{ id: 'tab', living: () => Promise.resolve(new Set(['tab'])), onEnd: () => () => {} },
    close: () => {
      ended = true;
    },
  };
  const http = new Http(
    clock,
    (path) =>
      new Promise((resolve, reject) => {
        asked.push({
          path,
          async answer(response) {
            if (response instanceof TypeError) reject(response);
            else resolve(response);
            await settle();
          },
        });
      }),
  );
  const auth = new Auth(http, clock);
  const remembered = {
    get: () => lastUser,
    set: (user: string | null) => {
      lastUser = user;
    },
  };
  session = new Session(auth, clock, remembered, (me) => {
    return new Client({
      me,
      auth,
      history: new History(http, auth),
      environment: clock,
      openSocket() {
        const socket: Socket = { onopen: null, onmessage: null, onclose: null, send() {}, close() {} };
        sockets.push(socket);
        return socket;
      },
      probe: () => Promise.resolve(false),
      storage: Promise.resolve(storage),
      keep,
      tabs,
      fillRandom: (bytes) => void crypto.getRandomValues(bytes),
    });
  });
});

const last = (path: string) => {
  const found = asked.findLast((one) => one.path === path);
  if (found === undefined) throw new Error(`${path} was not asked for`);
  return found;
};
const tokens = (user = 'alice') =>
  new Response(JSON.stringify({ access_token: 'jwt', expires_in: 900, user }), { status: 200 });
const refused = () => new Response(JSON.stringify({ code: 'unauthenticated', title: 'No' }), { status: 401 });
const clientOf = () => {
  if (session.phase.name !== 'signed_in') throw new Error(`the session is ${session.phase.name}`);
  return session.phase.client;
};
const signedIn = async () => {
  void session.login('alice', 'secret');
  await last('/auth/login').answer(tokens());
  await settle();
  return clientOf();
};

describe('the session', () => {
  it('is_restored_by_the_cookie', async () => {
    void session.restore();
    await last('/auth/refresh').answer(tokens());
    expect(clientOf().me).toBe('alice');
    // The token that came is the one that the socket uses.
    expect(asked.filter(({ path }) => path === '/auth/refresh')).toHaveLength(1);
    expect(sockets).toHaveLength(1);
  });

  it('without_a_cookie_asks_for_a_login', async () => {
    void session.restore();
    await last('/auth/refresh').answer(refused());
    expect(session.phase).toEqual({ name: 'signed_out', reason: null });
  });

  it('goes_on_asking_while_nobody_answers', async () => {
    void session.restore();
    await last('/auth/refresh').answer(new TypeError('failed to fetch'));
    expect(session.phase).toMatchObject({ name: 'restoring', retryAt: clock.now() + 500 });
    clock.advance(500);
    expect(asked).toHaveLength(2);
    await last('/auth/refresh').answer(new TypeError('failed to fetch'));
    expect(session.phase).toMatchObject({ retryAt: clock.now() + 1_000 });
    void session.restore();
    await last('/auth/refresh').answer(tokens());
    expect(clientOf().me).toBe('alice');
    clock.advance(10_000);
    expect(asked.filter(({ path }) => path === '/auth/refresh')).toHaveLength(3);
  });

  it('goes_on_as_who_was_here_last_while_nobody_answers', async () => {
    lastUser = 'alice';
    void session.restore();
    expect(session.phase.name).toBe('restoring');
    await last('/auth/refresh').answer(new TypeError('failed to fetch'));
    expect(clientOf().me).toBe('alice');
    await settle();
    // From here on it is the connection that asks.
    await last('/auth/refresh').answer(tokens());
    expect(sockets).toHaveLength(1);
    expect(clientOf().me).toBe('alice');
  });

  it('goes_on_as_who_was_here_last_when_the_answer_takes_long_and_asks_only_once', async () => {
    lastUser = 'alice';
    void session.restore();
    clock.advance(1_999);
    expect(session.phase.name).toBe('restoring');
    clock.advance(1);
    expect(clientOf().me).toBe('alice');
    await settle();
    await last('/auth/refresh').answer(tokens());
    expect(asked.filter(({ path }) => path === '/auth/refresh')).toHaveLength(1);
    expect(sockets).toHaveLength(1);
  });

  it.each([
    ['says_no', refused],
    ['knows_somebody_else_by_the_cookie', () => tokens('bob')],
  ])('ends_when_the_server_%s_after_all', async (_, answer) => {
    lastUser = 'alice';
    void session.restore();
    await last('/auth/refresh').answer(new TypeError('failed to fetch'));
    await settle();
    await last('/auth/refresh').answer(answer());
    expect(session.phase.name).toBe('signed_out');
    expect(lastUser).toBeNull();
    expect(sockets).toHaveLength(0);
  });

  it.each([
    ['has_ended', refused, null],
    ['is_somebody_elses', () => tokens('bob'), 'bob'],
  ])('leaves_nothing_that_the_last_one_here_could_see_where_it_%s', async (how, answer, after) => {
    lastUser = 'alice';
    keep = { ...noKeep, database: openDatabase(indexedDB, `alice-${how}`) };
    const cache = new Cache(keep);
    const list = { items: [], next: null, position: 'p1' };
    cache.save({ position: 'p1', list, lines: [], blocked: null, people: [], uncounted: [] });
    expect(await cache.load()).not.toBeNull();
    void session.restore();
    await last('/auth/refresh').answer(answer());
    expect(lastUser).toBe(after);
    await vi.waitFor(async () => expect(await cache.load()).toBeNull());
  });

  it('that_ends_in_an_old_tab_leaves_who_has_logged_in_since_in_another_one', async () => {
    await signedIn();
    lastUser = 'bob';
    sockets.at(-1)?.onclose?.({ code: 4503 });
    expect(session.phase.name).toBe('signed_out');
    expect(lastUser).toBe('bob');
  });

  it('a_login_that_is_refused_is_told_to_whoever_asked', async () => {
    void session.restore();
    await last('/auth/refresh').answer(refused());
    const login = session.login('alice', 'wrong');
    const told = expect(login).rejects.toMatchObject({ code: 'unauthenticated' });
    await last('/auth/login').answer(refused());
    await told;
    expect(session.phase.name).toBe('signed_out');
  });

  it('hrt4_one_that_the_server_ended_says_so_and_keeps_what_waits', async () => {
    const client = await signedIn();
    client.send('alice,bob', 'not sent yet');
    await settle();
    sockets.at(-1)?.onclose?.({ code: 4503 });
    expect(session.phase).toEqual({ name: 'signed_out', reason: { why: 'revoked' } });
    expect(await storage.all()).toHaveLength(1);
    // It is for another tab to send, once they are logged in there.
    expect(ended).toBe(true);
    clock.advance(600_000);
    expect(sockets).toHaveLength(1);
  });

  it('logging_out_ends_it_on_the_server_first_and_then_forgets_here', async () => {
    const client = await signedIn();
    client.send('alice,bob', 'not sent yet');
    const failed = session.logout();
    const told = expect(failed).rejects.toMatchObject({ code: 'unreachable' });
    await last('/auth/logout').answer(new TypeError('failed to fetch'));
    await told;
    expect(clientOf()).toBe(client);
    const done = session.logout();
    await last('/auth/logout').answer(new Response(null, { status: 204 }));
    await done;
    expect(session.phase).toEqual({ name: 'signed_out', reason: null });
    expect(await storage.all()).toEqual([]);
    expect(lastUser).toBeNull();
  });
});

describe('tabs', () => {
  it('hold_a_lock_while_they_live_see_the_others_and_hear_of_their_end', async () => {
    const held = [
      { name: 'natter:tab:other', mode: 'exclusive' },
      { name: 'natter:tab:gone', mode: 'shared' },
      { name: 'something else', mode: 'exclusive' },
    ];
    const ends: (() => void)[] = [];
    const locks = {
      request: (name: string, how: { mode: string } | (() => void)) => {
        if (typeof how === 'function') {
          held.push({ name, mode: 'exclusive' });
          return Promise.resolve(how()).then(() => held.pop());
        }
        expect([name, how]).toEqual(['natter:tab:other', { mode: 'shared' }]);
        return new Promise<void>((resolve) => ends.push(resolve));
      },
      query: async () => ({ held }),
    } as unknown as LockManager;
    const tabs = browserTabs(locks, 'mine');
    expect(held).toContainEqual({ name: 'natter:tab:mine', mode: 'exclusive' });
    let ended = 0;
    const stop = tabs.onEnd(() => {
      ended += 1;
    });
    expect(await tabs.living()).toEqual(new Set(['mine', 'other']));
    expect(await tabs.living()).toEqual(new Set(['mine', 'other']));
    expect(ends).toHaveLength(1);
    expect(ended).toBe(0);
    ends[0]?.();
    await settle();
    expect(ended).toBe(1);
    stop();
    await tabs.living();
    ends[1]?.();
    await settle();
    expect(ended).toBe(1);
    tabs.close();
    await settle();
    expect(held).not.toContainEqual({ name: 'natter:tab:mine', mode: 'exclusive' });
  });

  it('know_only_themselves_where_there_are_no_locks', async () => {
    expect(await browserTabs(undefined, 'mine').living()).toEqual(new Set(['mine']));
  });
});
