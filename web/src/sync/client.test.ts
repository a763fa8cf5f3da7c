import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Auth } from '../net/auth.ts';
import type { Socket } from '../net/connection/driver.ts';
import { History } from '../net/history.ts';
import { Http } from '../net/http.ts';
import { type Keep, noKeep, openDatabase } from '../outbox/database.ts';
import { MemoryStorage } from '../outbox/storage.ts';
import { timelineShown } from '../store/shown.ts';
import { directKey, isExplained, roomKey } from '../store/state.ts';
import { newestOf } from '../store/timeline.ts';
import { unreadCount } from '../store/unread.ts';
import { ManualClock, settle } from '../testing/clock.ts';
import { Client } from './client.ts';

const KEY = directKey(['alice', 'bob']);
const C = 'conversation-1';
const AT = '2026-05-01T12:00:00.000Z';

/** The other end of the wire, played by the test line by line. */
class Wire implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  heard: Record<string, unknown>[] = [];
  send(data: string): void {
    this.heard.push(JSON.parse(data));
  }
  close(): void {}
  says(...lines: object[]): void {
    this.onmessage?.({ data: lines.map((line) => JSON.stringify(line)).join('\n') });
  }
  heardOf(type: string) {
    return this.heard.filter((frame) => frame.type === type);
  }
}

interface Asked {
  path: string;
  minPosition: string | null;
  answer(status: number, body: object): Promise<void>;
}

let clock: ManualClock;
let wires: Wire[];
let asked: Asked[];
let client: Client;
/** A page of the same browser. */
let openPage: (keep: Keep) => Client;

const wire = () => {
  const found = wires.at(-1);
  if (found === undefined) throw new Error('no socket was opened');
  return found;
};
/** The newest request for this path. */
const request = (path: string) => {
  const found = asked.findLast((one) => one.path.startsWith(path));
  if (found === undefined) throw new Error(`${path} was not asked for, but ${asked.map((one) => one.path)}`);
  return found;
};
const page = (...items: object[]) => ({ items, next: null, position: 'h' });
const item = (seq: number, sender = 'bob', id = `id-${seq}`) => ({
  seq,
  conversation: C,
  sender,
  id,
  text: `text ${seq}`,
  at: AT,
});
const message = (seq: number, sender = 'bob', id = `id-${seq}`) => ({
  type: 'message',
  position: `p${seq}`,
  participants: ['alice', 'bob'],
  ...item(seq, sender, id),
});
const row = (last: object, unread = 0, read = 0) => ({
  conversation: C,
  kind: 'direct',
  participants: ['alice', 'bob'],
  last_message: last,
  unread,
  mentions: 0,
  read,
  markers: [],
  last_activity: AT,
});
const welcome = () => ({
  type: 'welcome',
  user: 'alice',
  session: 's',
  now: new Date(clock.now() + 60_000).toISOString(),
  position: 'w',
  heartbeat_ms: 25_000,
});
const messagesIn = (id = C) => {
  const timeline = client.store.state.timelines.get(id);
  return (timeline && newestOf(timeline)?.messages) ?? [];
};
const seqs = (id = C) => messagesIn(id).map(({ seq }) => seq);
const lastSeq = () => client.store.state.conversations.get(C)?.last?.seq;
const waiting = () =>
  client.outbox.queue.entries.map((entry) => `${'text' in entry ? entry.text : entry.kind} ${entry.status}`);

beforeEach(async () => {
  clock = new ManualClock(Date.parse(AT));
  wires = [];
  asked = [];
  const http = new Http(
    clock,
    (path, init) =>
      new Promise((resolve) => {
        asked.push({
          path,
          minPosition: new Headers(init.headers).get('Natter-Min-Position'),
          async answer(status, body) {
            resolve(new Response(JSON.stringify(body), { status }));
            await settle();
          },
        });
      }),
  );
  const auth = new Auth(http, clock);
  const login = auth.login('alice', 'secret');
  await request('/auth/login').answer(200, { access_token: 'jwt', expires_in: 900, user: 'alice' });
  const me = await login;
  openPage = (keep) =>
    new Client({
      me,
      auth,
      history: new History(http, auth),
      environment: clock,
      openSocket: () => {
        wires.push(new Wire());
        return wire();
      },
      probe: () => Promise.resolve(false),
      storage: Promise.resolve(new MemoryStorage()),
      keep,
      tabs: { id: 'tab', living: () => Promise.resolve(new Set(['tab'])), onEnd: () => () => {}, close() {} },
      fillRandom: (bytes) => void crypto.getRandomValues(bytes),
    });
  client = openPage(noKeep);
  client.start();
  await settle();
});

async function goLive(position = 'p0'): Promise<void> {
  wire().onopen?.();
  wire().says(welcome(), { type: 'reset', reason: 'fresh', position });
  await settle();
}

describe('a page that goes on where another one was left', () => {
  let keep: Keep;
  let visit = 0;

  /** One that has read the list and a conversation up to 3, and was left. */
  beforeEach(async () => {
    visit += 1;
    keep = { ...noKeep, database: openDatabase(indexedDB, `visit-${visit}`) };
    client.close();
    client = openPage(keep);
    wires = [];
    client.start();
    await begun();
    client.open(KEY);
    await goLive('p3');
    await request('/history/conversations?').answer(200, page(row(item(3), 1, 2)));
    await request('/history/direct?').answer(200, page(item(1), item(2), item(3)));
    await request('/history/blocks?').answer(200, page({ user: 'eve', display_name: 'Eve' }));
    client.tabLeft();
    client.close();
    client = openPage(keep);
    asked = [];
  });

  /** The disk answers in its own time. */
  const begun = async () => {
    await vi.waitFor(() => expect(wires.length).toBeGreaterThan(0));
    await settle();
  };
  const reopened = async () => {
    wires = [];
    client.start();
    client.open(KEY);
    await begun();
  };
  const askedPaths = () => asked.map(({ path }) => path.replace(/\?.*/, ''));

  it('con3_knows_at_once_what_that_one_knew_and_asks_only_for_what_came_since', async () => {
    await reopened();
    expect(seqs()).toEqual([1, 2, 3]);
    const held = client.store.state.conversations.get(C);
    expect(held && unreadCount(held, 'alice')).toBe(1);
    expect([...client.store.state.blocked]).toEqual(['eve']);

    wire().onopen?.();
    expect(wire().heardOf('hello')).toMatchObject([{ resume: 'p3' }]);
    wire().says(welcome(), message(4), { type: 'caught_up', position: 'p4' });
    await settle();
    expect(seqs()).toEqual([1, 2, 3, 4]);
    expect(wire().heardOf('applied')).toEqual([{ type: 'applied', position: 'p4' }]);
    // What people are called is not in the log, so that is asked again.
    expect(askedPaths()).toEqual(['/history/users']);
  });

  it('cmd7_asks_whom_one_has_blocked_where_that_one_was_left_before_it_knew', async () => {
    visit += 1;
    keep = { ...noKeep, database: openDatabase(indexedDB, `visit-${visit}`) };
    client = openPage(keep);
    wires = [];
    client.start();
    await begun();
    await goLive('p3');
    await request('/history/conversations?').answer(200, page(row(item(3), 1, 2)));
    client.tabLeft();
    client.close();
    client = openPage(keep);
    asked = [];
    await reopened();
    wire().onopen?.();
    wire().says(welcome(), { type: 'caught_up', position: 'p3' });
    await settle();
    expect(client.store.state.blocksRead).toBe(false);
    await request('/history/blocks?').answer(200, page({ user: 'eve', display_name: 'Eve' }));
    expect([...client.store.state.blocked]).toEqual(['eve']);
  });

  it('con3_goes_back_to_where_all_was_known_when_a_room_was_not_read_yet', async () => {
    await reopened();
    wire().onopen?.();
    const joined = { type: 'member', seq: 4, position: 'p4', conversation: 'room-1', at: AT, id: 'j' };
    wire().says(welcome(), { ...joined, user: 'alice', by: 'bob', change: 'joined', role: 'member' });
    wire().says({ type: 'caught_up', position: 'p4' });
    await settle();
    expect(askedPaths()).toContain('/history/conversations/room-1');
    client.tabLeft();
    client.close();
    client = openPage(keep);
    await reopened();
    wire().onopen?.();
    expect(wire().heardOf('hello')).toMatchObject([{ resume: 'p3' }]);
  });

  it('con3_shows_it_until_it_is_read_again_where_it_is_too_old', async () => {
    await reopened();
    wire().onopen?.();
    wire().says(welcome(), { type: 'reset', reason: 'too_old', position: 'p90' });
    await settle();
    expect(messagesIn()).toEqual([]);
    expect(timelineShown(client.store.state, C)?.segments[0]?.messages.map(({ seq }) => seq)).toEqual([
      1, 2, 3,
    ]);
    await request('/history/conversations?').answer(200, page(row(item(90), 1, 2)));
    await request('/history/direct?').answer(200, page(item(89), item(90)));
    expect(seqs()).toEqual([89, 90]);
    expect(timelineShown(client.store.state, C)).toBe(client.store.state.timelines.get(C));
  });

  it('con3_goes_on_from_it_also_where_the_disk_was_slow_and_nobody_had_answered_yet', async () => {
    const { database } = keep;
    let answers = (_: IDBDatabase | null) => {};
    client.close();
    client = openPage({ ...keep, database: new Promise((resolve) => (answers = resolve)) });
    wires = [];
    client.start();
    client.open(KEY);
    clock.advance(1_000);
    await begun();
    wire().onclose?.({ code: 1006 });
    await settle();
    expect(seqs()).toEqual([]);
    answers(await database);
    await vi.waitFor(() => expect(seqs()).toEqual([1, 2, 3]));
    client.tryNow();
    await settle();
    wire().onopen?.();
    expect(wire().heardOf('hello')).toMatchObject([{ resume: 'p3' }]);
  });

  it('shows_it_while_nobody_answers', async () => {
    await reopened();
    wire().onclose?.({ code: 1006 });
    expect(seqs()).toEqual([1, 2, 3]);
    expect(client.connection.phase.name).toBe('waiting');
    expect(client.connection.resume).toBe('p3');
  });

  it('knows_nothing_of_somebody_whose_session_ended', async () => {
    await client.forget();
    await reopened();
    expect(client.store.state.conversations.size).toBe(0);
    wire().onopen?.();
    expect(wire().heardOf('hello')[0]).not.toHaveProperty('resume');
  });

  it('waits_for_it_also_where_somebody_comes_back_meanwhile', async () => {
    wires = [];
    client.start();
    client.tabCameBack();
    client.tryNow();
    expect([client.connection.phase.name, wires.length]).toEqual(['starting', 0]);
    await begun();
    expect(seqs()).toEqual([1, 2, 3]);
    wire().onopen?.();
    expect(wire().heardOf('hello')[0]).toHaveProperty('resume', 'p3');
  });
});

describe('the client', () => {
  it('con5_after_a_reset_first_pages_are_as_new_as_it_and_applied_is_said_when_they_are_in', async () => {
    client.open(KEY);
    await goLive('p7');
    expect(request('/history/conversations?').minPosition).toBe('p7');
    expect(request('/history/direct?').minPosition).toBe('p7');
    expect(wire().heardOf('applied')).toEqual([]);
    await request('/history/conversations?').answer(200, page(row(item(3), 2)));
    await request('/history/direct?').answer(200, page(item(1), item(2), item(3)));
    expect(wire().heardOf('applied')).toEqual([{ type: 'applied', position: 'p7' }]);
    expect(seqs()).toEqual([1, 2, 3]);
  });

  it('cmd7_blocks_come_from_every_page_of_history_from_frames_and_from_own_commands', async () => {
    const blocked = () => [...client.store.state.blocked].sort();
    const people = (...users: string[]) => users.map((user) => ({ user, display_name: user }));
    await goLive('p7');
    expect(request('/history/blocks?').minPosition).toBe('p7');
    await request('/history/blocks?').answer(200, { items: people('bob'), next: 'more', position: 'h' });
    wire().says({ type: 'block', seq: 8, position: 'p8', user: 'carol', blocked: false, id: 'i', at: AT });
    expect(request('/history/blocks?').path).toContain('cursor=more');
    await request('/history/blocks?').answer(200, page(...people('carol', 'dora')));
    expect(blocked()).toEqual(['bob', 'dora']);

    client.do({ kind: 'block', user: 'bob', blocked: false });
    const [said] = wire().heardOf('unblock');
    expect(said).toMatchObject({ user: 'bob' });
    wire().says({ type: 'ok', ref: said?.ref, seq: 9, position: 'p9', at: AT });
    expect(blocked()).toEqual(['dora']);
    expect(waiting()).toEqual([]);

    // Its `ok` got lost: the event says that it is done.
    client.do({ kind: 'block', user: 'bob', blocked: true });
    const { id } = wire().heardOf('block')[0] ?? {};
    expect(waiting()).toEqual(['block sending']);
    wire().says({ type: 'block', seq: 10, position: 'p10', user: 'bob', blocked: true, id, at: AT });
    expect(blocked()).toEqual(['bob', 'dora']);
    expect(waiting()).toEqual([]);
  });

  it('people_of_the_list_and_of_new_messages_are_called_by_their_names', async () => {
    const names = () => Object.fromEntries(client.store.state.names);
    const called = (...handles: string[]) =>
      request(`/history/users?handles=${encodeURIComponent(handles.join(','))}&`);
    const named = (user: string, name: string) => ({ user, display_name: name });
    await goLive();
    await request('/history/conversations?').answer(200, page(row(item(3))));
    // One's own name, too.
    await called('alice', 'bob').answer(503, { code: 'unavailable', temporary: true });
    expect(names()).toEqual({});
    clock.advance(10_000);
    await settle();
    wire().says({ ...message(4, 'carol'), conversation: 'other', participants: ['alice', 'carol'] });
    wire().says({ ...message(5, 'dora'), conversation: 'third', participants: ['alice', 'dora'] });
    await settle();
    await called('alice', 'bob').answer(200, page(named('alice', 'Alice A.'), named('bob', 'Bob B.')));
    expect(names()).toEqual({ alice: 'Alice A.', bob: 'Bob B.' });
    await called('carol', 'dora').answer(200, page(named('dora', 'Dora')));
    expect(names()).toEqual({ alice: 'Alice A.', bob: 'Bob B.', dora: 'Dora' });
    // Nobody is asked about twice.
    const before = asked.length;
    wire().says({ ...message(6, 'dora'), conversation: 'third', participants: ['alice', 'dora'] });
    await settle();
    expect(asked.slice(before).map(({ path }) => path)).toEqual([]);
  });

  it('con5_a_page_that_was_asked_for_before_a_reset_is_not_taken_in', async () => {
    client.open(KEY);
    await goLive();
    const late = request('/history/direct?');
    wire().onclose?.({ code: 1006 });
    clock.advance(1_000);
    await goLive('p9');
    await late.answer(200, page(item(1), item(2)));
    expect(seqs()).toEqual([]);
    await request('/history/direct?').answer(200, page(item(9)));
    expect(seqs()).toEqual([9]);
  });

  it('hst2_history_that_is_behind_is_asked_again_and_says_so_meanwhile', async () => {
    await goLive();
    await request('/history/conversations?').answer(503, {
      code: 'unavailable',
      title: 'History is behind',
      temporary: true,
      retry_after_ms: 700,
    });
    expect(client.store.state.list).toEqual({
      status: 'failed',
      fault: { code: 'unavailable', message: 'History is behind' },
    });
    const before = asked.length;
    clock.advance(700);
    await settle();
    expect(asked.length).toBe(before + 1);
    await request('/history/conversations?').answer(200, page(row(item(3), 1)));
    expect(client.store.state.list).toEqual({ status: 'done' });
  });

  it('con3_in_another_log_nothing_is_done_to_what_was_meant_in_the_one_before', async () => {
    await goLive();
    await request('/history/conversations?').answer(200, page(row(item(3))));
    wire().onclose?.({ code: 1006 });
    client.do({ kind: 'delete', to: { conversation: C }, message: 3 });
    client.send(KEY, 'hello');
    client.drafts.write(KEY, {
      text: 'Yes',
      reply: { seq: 3, sender: 'bob', text: 'Shall we?', deleted: false },
    });
    clock.advance(1_000);
    wire().onopen?.();
    wire().says(welcome(), { type: 'reset', reason: 'other_log', position: 'q1' });
    await settle();
    expect(wire().heardOf('delete')).toEqual([]);
    expect(wire().heardOf('send')).toMatchObject([{ text: 'hello' }]);
    expect(waiting()).toEqual(['delete failed', 'hello sending']);
    expect(client.drafts.get(KEY)).toMatchObject({ text: 'Yes', reply: null });
  });

  it('evt2_an_ok_takes_the_place_of_the_event', async () => {
    await goLive();
    client.send(KEY, 'hello');
    const [sent] = wire().heardOf('send');
    expect(sent).toMatchObject({ to: { participants: ['alice', 'bob'] }, text: 'hello' });
    expect(waiting()).toEqual(['hello sending']);
    wire().says({ type: 'ok', ref: sent?.ref, seq: 5, position: 'p5', conversation: C, at: AT });
    expect(waiting()).toEqual([]);
    expect(seqs()).toEqual([5]);
    expect(client.store.state.direct.get(KEY)).toBe(C);
    expect(client.connection.resume).toBe('p5');
    client.send(KEY, 'again');
    expect(wire().heardOf('send')[1]).toMatchObject({ to: { conversation: C } });
  });

  it('ids_are_uuid7_on_the_servers_clock', async () => {
    await goLive();
    client.send(KEY, 'hello');
    const id = String(wire().heardOf('send')[0]?.id).replaceAll('-', '');
    expect(Number.parseInt(id.slice(0, 12), 16)).toBe(clock.now() + 60_000);
  });

  it('what_is_written_offline_leaves_in_order_and_once_when_the_session_is_back', async () => {
    await goLive();
    client.send(KEY, 'one');
    const [first] = wire().heardOf('send');
    wire().onclose?.({ code: 1006 });
    client.send(KEY, 'two');
    client.send(KEY, 'three');
    expect(waiting()).toEqual(['one queued', 'two queued', 'three queued']);
    clock.advance(1_000);
    wire().onopen?.();
    expect(wire().heard[0]).toMatchObject({ type: 'hello', resume: 'p0' });
    // The first had reached the log: its event is in the replay, with its id.
    wire().says(welcome(), message(5, 'alice', String(first?.id)));
    expect(wire().heardOf('send')).toEqual([]);
    wire().says({ type: 'caught_up', position: 'p5' });
    expect(wire().heardOf('send')).toMatchObject([{ text: 'two' }]);
    wire().says({
      type: 'ok',
      ref: wire().heardOf('send')[0]?.ref,
      seq: 6,
      position: 'p6',
      conversation: C,
      at: AT,
    });
    wire().says({
      type: 'ok',
      ref: wire().heardOf('send')[1]?.ref,
      seq: 7,
      position: 'p7',
      conversation: C,
      at: AT,
    });
    expect(waiting()).toEqual([]);
    expect(seqs()).toEqual([5, 6, 7]);
  });

  it('cmd2_after_a_reset_the_same_id_settles_what_the_cut_left_open', async () => {
    await goLive();
    client.send(KEY, 'one');
    const [first] = wire().heardOf('send');
    wire().onclose?.({ code: 1006 });
    clock.advance(1_000);
    await goLive('p9');
    const [again] = wire().heardOf('send');
    expect(again).toMatchObject({ id: first?.id, text: 'one' });
    wire().says({
      type: 'ok',
      ref: again?.ref,
      seq: 5,
      position: 'p5',
      conversation: C,
      at: AT,
      duplicate: true,
    });
    expect(waiting()).toEqual([]);
    expect(client.connection.resume).toBe('p9');
    await request('/history/conversations?').answer(200, page(row(item(5, 'alice', String(first?.id)))));
    expect(lastSeq()).toBe(5);
  });

  it('an_own_message_in_a_page_settles_it_too', async () => {
    await goLive();
    client.send(KEY, 'one');
    const id = String(wire().heardOf('send')[0]?.id);
    await request('/history/conversations?').answer(200, page(row(item(5, 'alice', id))));
    expect(waiting()).toEqual([]);
    expect(lastSeq()).toBe(5);
  });

  it('evt2_an_own_message_that_a_row_showed_before_its_ok_is_said_in_the_conversation_too', async () => {
    client.open(KEY);
    await goLive();
    await request('/history/direct?').answer(200, page(item(4)));
    client.send(KEY, 'one');
    const [said] = wire().heardOf('send');
    await request('/history/conversations?').answer(200, page(row(item(5, 'alice', String(said?.id)))));
    expect(waiting()).toEqual([]);
    wire().says({ type: 'ok', ref: said?.ref, seq: 5, position: 'p5', conversation: C, at: AT });
    expect(seqs()).toEqual([4, 5]);
  });

  it('reading_is_marked_at_once_here_and_told_to_the_server', async () => {
    await goLive();
    wire().says(message(4));
    const held = () => client.store.state.conversations.get(C);
    expect(unreadCount(held() as never, 'alice')).toBe(1);
    client.markRead(C, 4);
    expect(unreadCount(held() as never, 'alice')).toBe(0);
    expect(wire().heardOf('mark')).toMatchObject([{ conversation: C, read: 4 }]);
  });

  it('con3_what_one_read_while_away_stays_read_after_a_reset_and_is_said', async () => {
    await goLive();
    await request('/history/conversations?').answer(200, page(row(item(4), 2, 2)));
    wire().onclose?.({ code: 1006 });
    client.markRead(C, 4);
    clock.advance(1_000);
    await goLive('p9');
    await request('/history/conversations?').answer(200, page(row(item(4), 2, 2)));
    expect(unreadCount(client.store.state.conversations.get(C) as never, 'alice')).toBe(0);
    expect(wire().heardOf('mark')).toMatchObject([{ conversation: C, read: 4 }]);
  });

  it.each(['told', 'read_and_told', 'said_oneself'])(
    'what_is_%s_in_a_conversation_of_a_later_page_of_the_list_asks_how_it_is_treated',
    async (how) => {
      const people = ['alice', 'cy'];
      client.open(directKey(people));
      await goLive();
      const [later, preferences] = ['conversation-9', { muted: true, starred: true }];
      await request('/history/conversations?').answer(200, { ...page(row(item(4))), next: 'more' });
      const there = { ...item(1), conversation: later };
      await request('/history/direct?').answer(200, page(...(how === 'told' ? [] : [there])));
      if (how === 'said_oneself') client.send(directKey(people), 'hello');
      const [said] = wire().heardOf('send');
      if (said === undefined) wire().says({ ...message(5, 'cy'), conversation: later, participants: people });
      else wire().says({ type: 'ok', ref: said.ref, seq: 5, position: 'p5', conversation: later, at: AT });
      await settle();
      // It has moved to the top meanwhile.
      await request('/history/conversations?').answer(200, page());
      expect(request(`/history/conversations/${later}`).minPosition).toBe('p5');
      const its = { ...row(there), conversation: later, participants: people, preferences };
      await request(`/history/conversations/${later}`).answer(200, its);
      expect(client.store.state.conversations.get(later)).toMatchObject({ preferences, last: { seq: 5 } });
      // Once is enough, and one that begins now is treated as all are.
      const before = asked.length;
      wire().says({ ...message(6, 'cy'), conversation: later, participants: people });
      wire().says({ ...message(7, 'cy'), conversation: 'new', participants: ['alice', 'bob', 'cy'] });
      await settle();
      expect(asked.slice(before)).toEqual([]);
    },
  );

  it('evt2_what_is_said_before_the_first_page_is_in_holds_though_the_page_is_older', async () => {
    const hall = { name: 'Lobby', visibility: 'public', archived: false, owners: ['alice'] };
    const room = {
      ...{ ...row(item(4)), conversation: 'room-1', kind: 'room', participants: [], last_message: null },
      room: { conversation: 'room-1', ...hall, topic: 'Hats', members: 2, role: 'owner' },
    };
    const list = page(row(item(4), 2, 2), room);
    await goLive();
    await request('/history/conversations?').answer(200, list);
    wire().onclose?.({ code: 1006 });
    client.markRead(C, 4);
    client.do({ kind: 'update', to: { conversation: 'room-1' }, changes: { name: 'Hall' } });
    clock.advance(1_000);
    await goLive('p9');
    const [[marked], [renamed]] = [wire().heardOf('mark'), wire().heardOf('room.update')];
    wire().says({ type: 'ok', ref: marked?.ref, seq: 10, position: 'p10', at: AT });
    wire().says({ type: 'ok', ref: renamed?.ref, seq: 11, position: 'p11', at: AT });
    await request('/history/conversations?').answer(200, list);
    const { conversations } = client.store.state;
    expect(unreadCount(conversations.get(C) as never, 'alice')).toBe(0);
    expect(conversations.get('room-1')?.room).toMatchObject({ name: 'Hall', topic: 'Hats' });
  });

  it('evt2_another_device_that_says_the_same_settles_what_waits_here', async () => {
    await goLive();
    await request('/history/conversations?').answer(200, page(row(item(4))));
    const preferences = { muted: true, starred: false, hidden: false, notify: 'all' } as const;
    client.do({ kind: 'prefer', to: { conversation: C }, preferences });
    const [prefer] = wire().heardOf('prefer');
    expect(prefer).toMatchObject({ conversation: C, muted: true });
    wire().onclose?.({ code: 1006 });
    clock.advance(1_000);
    wire().onopen?.();
    const event = { type: 'preferences', seq: 7, position: 'p7', conversation: C, id: prefer?.id, at: AT };
    wire().says(welcome(), { ...event, ...preferences }, { type: 'caught_up', position: 'p7' });
    expect(waiting()).toEqual([]);
    expect(client.store.state.conversations.get(C)?.preferences).toEqual(preferences);
    expect(wire().heardOf('prefer')).toEqual([]);
  });

  it('says_in_every_session_what_one_wants_others_to_see', async () => {
    await goLive();
    client.status.choose({ status: 'busy', text: 'writing' });
    const [told] = wire().heardOf('presence');
    wire().says({ type: 'ok', ref: told?.ref });
    wire().onclose?.({ code: 1006 });
    clock.advance(1_000);
    await goLive();
    expect(wire().heardOf('presence')).toMatchObject([{ status: 'busy', text: 'writing' }]);
  });

  it('watches_the_people_of_its_conversations_again_in_every_session', async () => {
    await goLive();
    await request('/history/conversations?').answer(200, page(row(item(3))));
    clock.advance(200);
    expect(wire().heardOf('watch')).toMatchObject([{ users: ['bob'] }]);
    wire().says({ type: 'presence', user: 'bob', status: 'online' });
    expect(client.store.state.presence.get('bob')?.status).toBe('online');
    wire().onclose?.({ code: 1006 });
    expect(client.store.state.presence.size).toBe(0);
    clock.advance(1_000);
    wire().onopen?.();
    wire().says(welcome(), { type: 'caught_up', position: 'p3' });
    clock.advance(200);
    expect(wire().heardOf('watch')).toMatchObject([{ users: ['bob'] }]);
  });

  it('asks_after_a_cut_what_nobody_is_told_twice', async () => {
    const called = (name: string) =>
      page({ user: 'bob', display_name: name }, { user: 'alice', display_name: 'Alice' });
    const named = () => client.store.state.names.get('bob');
    await goLive();
    await request('/history/conversations?').answer(200, page(row(item(3, 'alice'))));
    await request('/history/users?').answer(200, called('Bob'));
    clock.advance(200);
    wire().says({ type: 'ok', ref: wire().heardOf('watch')[0]?.ref });
    void client.card.open('carol');
    await settle();
    await request('/history/users/carol').answer(500, {});
    expect(client.store.state.card?.status).toBe('failed');
    void client.directory.ask({ words: 'looms', archived: false });
    await settle();
    await request('/history/rooms').answer(500, {});
    wire().onclose?.({ code: 1006 });
    clock.advance(1_000);
    const before = asked.length;
    wire().onopen?.();
    wire().says(welcome(), { type: 'caught_up', position: 'p8' });
    await settle();
    await request('/history/conversations?').answer(200, page(row(item(3, 'alice'))));
    // What those whom this session follows are called.
    clock.advance(200);
    wire().says({ type: 'ok', ref: wire().heardOf('watch')[0]?.ref });
    await settle();
    await request('/history/users?').answer(200, called('Robert'));
    expect(named()).toBe('Robert');
    // And what is looked at and could not be read.
    await request('/history/users/carol').answer(200, { user: 'carol', display_name: 'Carol' });
    expect(client.store.state.card?.status).toBe('there');
    await request('/history/rooms').answer(200, page());
    expect(client.store.state.directory?.reading.status).toBe('done');
    // How far what one said has come, which gateways put on record only now and then.
    clock.advance(20_000);
    wire().says({ type: 'ping', position: 'p9' });
    clock.advance(20_000);
    await settle();
    const marked = { ...row(item(3, 'alice')), markers: [{ user: 'bob', read: 0, delivered: 3 }] };
    await request('/history/conversations?').answer(200, page(marked));
    expect(client.store.state.conversations.get(C)?.delivered.get('bob')).toBe(3);
    const since = asked.slice(before).map(({ path, minPosition }) => [path.split('?')[0], minPosition]);
    expect(since).toEqual([
      ['/history/conversations', 'p8'],
      ['/history/rooms', 'p8'],
      ['/history/users/carol', 'p8'],
      ['/history/users', 'p8'],
      ['/history/conversations', 'p9'],
    ]);
  });

  it('con3_who_is_in_the_open_room_and_who_is_banned_are_read_again_after_a_reset_and_after_a_failure', async () => {
    const called = (...users: string[]) => page(...users.map((user) => ({ user, display_name: user })));
    const bans = `/history/conversations/${C}/bans`;
    const banned = () => [...(client.store.state.members?.banned ?? [])];
    const people = () => [...(client.store.state.members?.people.keys() ?? [])];
    const answerMembers = async (...users: string[]) => {
      const members = asked.filter(({ path }) => path.startsWith(`/history/conversations/${C}/members`));
      for (const one of members.slice(-3))
        await one.answer(200, page(...users.map((user) => ({ user, display_name: user, role: 'member' }))));
    };
    await goLive();
    client.roster.open(C);
    await settle();
    await answerMembers('alice', 'bob');
    void client.roster.bans();
    await settle();
    await request(bans).answer(500, {});
    expect(client.store.state.members?.reading.status).toBe('failed');
    client.roster.again();
    await settle();
    await answerMembers('alice', 'bob');
    await request(bans).answer(200, called('carol'));
    expect([people(), banned()]).toEqual([['alice', 'bob'], ['carol']]);
    wire().onclose?.({ code: 1006 });
    clock.advance(1_000);
    await goLive('p9');
    expect(request(bans).minPosition).toBe('p9');
    await request(bans).answer(200, called('dan'));
    await answerMembers('alice');
    expect([people(), banned()]).toEqual([['alice'], ['dan']]);
  });

  it('con5_a_page_of_people_that_was_asked_for_before_the_pane_was_opened_again_is_not_taken_in', async () => {
    const joined = { user: 'dan', change: 'joined', by: 'bob', conversation: C, id: 'i', at: AT };
    const members = () =>
      asked.filter(({ path }) => path.startsWith(`/history/conversations/${C}/members`)).slice(-3);
    const answer = (of: Asked[], ...users: string[]) =>
      Promise.all(
        of.map((one) =>
          one.answer(200, page(...users.map((user) => ({ user, display_name: user, role: 'member' })))),
        ),
      );
    await goLive();
    client.roster.open(C);
    await settle();
    const before = members();
    client.roster.close();
    wire().says({ type: 'member', seq: 8, position: 'p8', ...joined });
    client.roster.open(C);
    await settle();
    await answer(before, 'bob');
    await answer(members(), 'bob', 'dan');
    expect([...(client.store.state.members?.people.keys() ?? [])]).toEqual(['bob', 'dan']);
  });

  it('whom_one_knows_has_a_card_also_where_it_cannot_be_read', async () => {
    await goLive();
    await request('/history/conversations?').answer(200, page(row(item(3))));
    await request('/history/users?').answer(200, page({ user: 'bob', display_name: 'Bob' }));
    void client.card.open('bob');
    await settle();
    await request('/history/users/bob').answer(500, {});
    expect(client.store.state.card?.status).toBe('there');
  });

  it('says_that_one_types_at_most_every_3_s_and_stops_believing_others_after_5', async () => {
    await goLive();
    wire().says(message(4));
    for (let n = 0; n < 10; n += 1) client.typing(KEY);
    expect(wire().heardOf('typing')).toHaveLength(1);
    clock.advance(3_000);
    client.typing(KEY);
    expect(wire().heardOf('typing')).toHaveLength(2);
    wire().says({ type: 'typing', conversation: C, user: 'bob' });
    expect(client.store.state.typing.get(C)?.has('bob')).toBe(true);
    clock.advance(5_000);
    expect(client.store.state.typing.size).toBe(0);
  });

  it('a_message_of_an_unknown_conversation_asks_once_what_that_is_as_new_as_the_session', async () => {
    await goLive();
    await request('/history/conversations?').answer(200, page());
    const before = asked.length;
    const { participants: _, ...unnamed } = message(4);
    wire().says(unnamed, { ...unnamed, ...item(5), position: 'p5' });
    await settle();
    const since = asked.slice(before).filter(({ path }) => !path.startsWith('/history/users'));
    expect(since.map(({ path, minPosition }) => [path, minPosition])).toEqual([
      [`/history/conversations/${C}`, 'p5'],
    ]);
    await request(`/history/conversations/${C}`).answer(200, { ...row(item(4), 1), position: 'h' });
    expect(client.store.state.direct.get(KEY)).toBe(C);
  });

  it('many_conversations_that_came_at_once_are_read_in_pages_of_the_list', async () => {
    await goLive();
    await request('/history/conversations?').answer(200, page());
    const before = asked.length;
    const rooms = Array.from({ length: 30 }, (_, n) => `room-${n + 1}`);
    const { participants: _, ...unnamed } = message(4);
    wire().says(
      ...rooms.map((conversation, n) => ({
        ...unnamed,
        ...{ conversation, seq: 10 + n, position: `p${10 + n}`, id: `id-${n}` },
      })),
    );
    await settle();
    const since = () =>
      asked
        .slice(before)
        .map(({ path }) => path.replace(/&.*/, ''))
        .filter((path) => path.startsWith('/history/conv'));
    expect(since()).toHaveLength(1);
    expect(request('/history/conversations?').minPosition).toBe('p39');
    const rowsOf = (some: readonly string[]) =>
      some.map((conversation, n) => ({ ...row({ ...item(10 + n), conversation }, 1), conversation }));
    await request('/history/conversations?').answer(200, {
      ...page(...rowsOf(rooms.slice(0, 20))),
      next: 'more',
    });
    // One of them is not in the list: one was put out of it meanwhile.
    await request('/history/conversations?').answer(200, page(...rowsOf(rooms.slice(20, 29))));
    expect(since()).toHaveLength(3);
    await request('/history/conversations/room-30').answer(403, { code: 'not_member' });
    await settle();
    expect(since()).toHaveLength(3);
    expect(client.store.state.conversations.size).toBe(30);
    expect([...client.store.state.conversations.values()].filter(isExplained)).toHaveLength(29);
  });

  it('history_is_read_also_when_no_session_can_be_had', async () => {
    wire().onclose?.({ code: 1006 });
    await settle();
    await request('/history/conversations?').answer(200, page(row(item(3), 1)));
    expect(lastSeq()).toBe(3);
  });

  it('older_pages_are_asked_for_before_the_oldest_one_at_a_time', async () => {
    client.open(KEY);
    await goLive();
    await request('/history/direct?').answer(200, { ...page(item(8), item(9)), next: 'more' });
    const [segment] = client.store.state.timelines.get(C)?.segments ?? [];
    if (segment === undefined) throw new Error('nothing was read');
    void client.loadOlder(C, segment);
    void client.loadOlder(C, segment);
    await settle();
    const older = asked.filter(({ path }) => path.includes('before='));
    expect(older.map(({ path }) => path)).toEqual([`/history/conversations/${C}/messages?limit=50&before=8`]);
    await request(`/history/conversations/${C}/messages`).answer(200, page(item(7)));
    expect(seqs()).toEqual([7, 8, 9]);
  });

  it('a_message_that_is_not_here_is_gone_to_with_what_is_around_it_and_pages_join_on_both_sides', async () => {
    client.open(KEY);
    await goLive();
    await request('/history/direct?').answer(200, { ...page(item(98), item(99)), next: 'more' });
    await request('/history/conversations?').answer(200, page(row(item(99))));
    void client.goTo(C, 40);
    await settle();
    const messages = `/history/conversations/${C}/messages?`;
    expect(request(messages).path).toContain('around=40');
    await request(messages).answer(200, { ...page(item(39), item(40), item(41)), next: 'more' });
    const line = () => client.store.state.timelines.get(C);
    expect(line()?.around).toBe(40);
    expect(line()?.segments.map(({ from, to, newer }) => [from, to, newer])).toEqual([
      [0, 41, true],
      [98, 99, false],
    ]);
    const [segment] = line()?.segments ?? [];
    if (segment === undefined) throw new Error('nothing is held');
    void client.loadNewer(C, segment);
    await settle();
    expect(request(messages).path).toContain('after=41');
    await request(messages).answer(503, { code: 'unavailable', title: 'Later', temporary: true });
    expect(client.store.state.readings.get(`newer ${C}`)).toEqual({
      status: 'failed',
      fault: { code: 'unavailable', message: 'Later' },
    });
    client.reread();
    await settle();
    await request(messages).answer(200, page(item(70), item(98)));
    expect(line()?.segments.map(({ from, to }) => [from, to])).toEqual([[0, 99]]);
    expect(client.store.state.readings.has(`newer ${C}`)).toBe(false);
    // What is here is not asked for again.
    const before = asked.length;
    await client.goTo(C, 98);
    expect([line()?.around, asked.length]).toEqual([98, before]);
    void client.goToDate(C, AT);
    await settle();
    expect(request(messages).path).toContain(`around_at=${encodeURIComponent(AT)}`);
  });

  it('a_thread_is_read_as_new_as_the_session_and_hears_what_is_said_in_it_while_it_is_open', async () => {
    client.open(KEY);
    await goLive();
    await request('/history/direct?').answer(200, page(item(3)));
    await request('/history/conversations?').answer(200, page(row(item(3))));
    wire().says({ ...message(4), thread: 3 });
    client.openThread(C, 3);
    await settle();
    const thread = request(`/history/conversations/${C}/messages?`);
    expect([thread.path.includes('thread=3'), thread.minPosition]).toEqual([true, 'p4']);
    wire().says({ ...message(5), thread: 3 });
    await thread.answer(200, page({ ...item(4), thread: 3 }));
    expect(seqs(`${C}/3`)).toEqual([4, 5]);
    expect(client.store.state.timelines.get(`${C}/3`)?.root?.replies?.count).toBe(2);
    expect(seqs()).toEqual([3]);
    client.closeThread();
    expect(client.store.state.timelines.has(`${C}/3`)).toBe(false);
  });

  it('all_pages_of_the_list_are_read_one_after_the_other', async () => {
    await goLive();
    await request('/history/conversations?').answer(200, { ...page(row(item(3))), next: 'two' });
    expect(client.store.state.readings.get('list')).toEqual({ status: 'loading' });
    expect(request('/history/conversations?').path).toContain('cursor=two');
    const second = { ...row(item(2)), conversation: 'conversation-2', participants: ['alice', 'carol'] };
    await request('/history/conversations?').answer(200, page(second));
    expect([...client.store.state.conversations.keys()]).toEqual([C, 'conversation-2']);
    expect(client.store.state.readings.has('list')).toBe(false);
  });

  it('reading_on_another_device_of_what_is_not_here_is_counted_again', async () => {
    await goLive();
    await request('/history/conversations?').answer(200, page(row(item(30), 20, 5)));
    wire().says({
      type: 'marker',
      seq: 31,
      position: 'p31',
      conversation: C,
      user: 'alice',
      read: 15,
      at: AT,
    });
    await settle();
    expect(request(`/history/conversations/${C}`).minPosition).toBe('p31');
    await request(`/history/conversations/${C}`).answer(200, row(item(30), 11, 15));
    expect(unreadCount(client.store.state.conversations.get(C) as never, 'alice')).toBe(11);
  });

  it('people_who_have_not_spoken_have_an_empty_conversation', async () => {
    client.open(KEY);
    await goLive();
    await request('/history/direct?').answer(404, {
      code: 'not_found',
      title: 'Not found',
      temporary: false,
    });
    expect(client.store.state.readings.get(KEY)).toEqual({ status: 'done' });
  });

  it('leaves_nothing_running_when_it_is_closed', async () => {
    await goLive();
    await request('/history/conversations?').answer(503, { code: 'unavailable', temporary: true });
    client.send(KEY, 'one');
    client.close();
    await settle();
    const before = asked.length;
    clock.advance(600_000);
    await settle();
    expect(asked.length).toBe(before);
    expect(wires).toHaveLength(1);
  });

  describe('rooms', () => {
    const R = '01a0c450-77a4-7000-8000-000000000003';
    const ROOM = `/history/conversations/${R}`;
    const about = (type: string, seq: number, fields: object) => ({
      ...{ type, seq, position: `p${seq}`, conversation: R, at: AT },
      ...fields,
    });
    const roomRow = (role: string | null = 'member', last: object | null = null) => ({
      ...{ ...row({}), conversation: R, kind: 'room', participants: [], last_message: last, position: 'h' },
      room: {
        ...{ conversation: R, name: 'Lobby', visibility: 'public', archived: false, owners: ['bob'] },
        ...{ members: 2, ...(role === null ? {} : { role }) },
      },
    });
    const said = (seq: number) => ({ ...item(seq), conversation: R });
    const roomOf = () => client.store.state.conversations.get(R);

    it('evt3_a_room_that_somebody_added_one_to_is_read_as_new_as_that', async () => {
      await goLive();
      wire().says(
        about('member', 5, { user: 'alice', change: 'joined', role: 'member', by: 'bob', id: 'i' }),
      );
      await settle();
      expect(request(ROOM).minPosition).toBe('p5');
      await request(ROOM).answer(200, roomRow());
      expect(roomOf()?.room?.name).toBe('Lobby');
    });

    it('evt2_a_room_that_one_joins_is_read_and_entered_and_messages_go_to_it', async () => {
      await goLive();
      client.do({ kind: 'join', to: { conversation: R }, name: 'Lobby' });
      const [join] = wire().heardOf('room.join');
      expect(join).toMatchObject({ conversation: R });
      wire().says({ type: 'ok', ref: join?.ref, seq: 5, position: 'p5', conversation: R, at: AT });
      expect(client.store.state.entered).toEqual({ id: join?.id, conversation: R, refused: [] });
      await settle();
      await request(ROOM).answer(200, roomRow());
      client.open(roomKey(R));
      await settle();
      expect(request(`${ROOM}/messages?`).minPosition).toBe('p5');
      await request(`${ROOM}/messages?`).answer(200, page(said(4)));
      expect(seqs(R)).toEqual([4]);
      client.send(roomKey(R), 'hello');
      expect(wire().heardOf('send')).toMatchObject([{ to: { conversation: R }, text: 'hello' }]);
      client.typing(roomKey(R));
      expect(wire().heardOf('typing')).toMatchObject([{ conversation: R }]);
      // The people of a room are not looked up by its key.
      clock.advance(200);
      expect(
        wire()
          .heardOf('watch')
          .flatMap(({ users }) => users),
      ).toEqual([]);
    });

    it('con3_a_room_that_one_made_is_entered_also_where_the_event_came_instead_of_the_ok', async () => {
      await goLive();
      client.do({ kind: 'create', name: 'Lobby', visibility: 'public' });
      const [made] = wire().heardOf('room.create');
      expect(made).toMatchObject({ name: 'Lobby', visibility: 'public' });
      const facts = { name: 'Lobby', visibility: 'public', archived: false, owners: ['alice'] };
      wire().says(about('room', 5, { ...facts, by: 'alice', id: made?.id }));
      wire().says(about('member', 5, { user: 'alice', change: 'joined', role: 'owner', by: 'alice' }));
      expect(waiting()).toEqual([]);
      expect(client.store.state.entered).toEqual({ id: made?.id, conversation: R, refused: [] });
      await settle();
      await request(ROOM).answer(200, roomRow('owner'));
      expect(roomOf()?.room?.name).toBe('Lobby');
    });

    it('evt3_a_room_that_one_left_is_gone_at_the_ok', async () => {
      await goLive();
      await request('/history/conversations?').answer(200, page(roomRow()));
      client.do({ kind: 'leave', to: { conversation: R }, name: 'Lobby' });
      const [leave] = wire().heardOf('room.leave');
      wire().says({ type: 'ok', ref: leave?.ref, seq: 6, position: 'p6', conversation: R, at: AT });
      expect(roomOf()).toBeUndefined();
      expect(client.store.state.gone.get(R)).toEqual({
        name: 'Lobby',
        visibility: 'public',
        change: 'left',
        by: 'alice',
      });
      await settle();
      expect(asked.filter(({ path }) => path.startsWith(ROOM))).toEqual([]);
    });

    it('cmd6_a_room_that_is_not_ones_own_says_so_at_its_address', async () => {
      client.open(roomKey(R));
      await goLive();
      const reading = () => client.store.state.readings.get(roomKey(R));
      const failed = (code: string) => ({ status: 'failed', fault: { code, message: '' } });
      await request(ROOM).answer(404, { code: 'not_found', title: '', temporary: false });
      expect(reading()).toEqual(failed('not_found'));
      client.reread();
      await settle();
      // Who was in it once still reads that; it is no room of theirs.
      await request(ROOM).answer(200, roomRow(null));
      expect(reading()).toEqual(failed('not_member'));
      expect(roomOf()).toBeUndefined();
    });

    it('whoever_speaks_in_a_room_is_called_by_their_name', async () => {
      await goLive();
      await request('/history/conversations?').answer(200, page(roomRow('member', said(3))));
      await request('/history/users?handles=bob').answer(200, page({ user: 'bob', display_name: 'Bob B.' }));
      wire().says(about('message', 5, { sender: 'cy', id: 'i', text: 'hi', mentions: [] }));
      await settle();
      await request('/history/users?handles=cy').answer(200, page({ user: 'cy', display_name: 'Cy' }));
      expect(Object.fromEntries(client.store.state.names)).toEqual({ bob: 'Bob B.', cy: 'Cy' });
      expect(asked.filter(({ path }) => path === ROOM)).toEqual([]);
    });
  });

  describe('what is done to messages', () => {
    const texts = () => messagesIn().map(({ text }) => text);
    const about = (type: string, seq: number, fields: object) => ({
      type,
      seq,
      position: `p${seq}`,
      conversation: C,
      message: 3,
      id: `id-${seq}`,
      at: AT,
      ...fields,
    });
    const read = async () => {
      client.open(KEY);
      await goLive();
      await request('/history/conversations?').answer(200, page(row(item(3, 'alice'))));
      await request('/history/direct?').answer(200, page(item(3, 'alice')));
    };

    it('evt2_an_ok_in_its_place_is_the_event_and_a_repeats_is_not', async () => {
      await read();
      client.do({ kind: 'edit', to: { conversation: C }, message: 3, text: 'one' });
      const [{ ref, id }] = wire().heardOf('edit') as [{ ref: number; id: string }];
      wire().says({ type: 'ok', ref, seq: 8, position: 'p8', at: AT });
      expect([texts(), waiting()]).toEqual([['one'], []]);
      client.do({ kind: 'edit', to: { conversation: C }, message: 3, text: 'two' });
      const again = wire().heardOf('edit').at(-1) as { ref: number; id: string };
      expect(again.id).not.toBe(id);
      wire().says({ type: 'ok', ref: again.ref, seq: 9, at: AT, duplicate: true });
      expect([texts(), waiting()]).toEqual([['one'], []]);
      wire().says(about('edited', 9, { by: 'alice', text: 'two' }));
      expect(texts()).toEqual(['two']);
    });

    it('con3_ones_own_event_in_a_replay_settles_the_command', async () => {
      await read();
      client.do({ kind: 'react', to: { conversation: C }, message: 3, emoji: '👍', op: 'add' });
      const [{ id }] = wire().heardOf('react') as [{ id: string }];
      wire().onclose?.({ code: 1006 });
      clock.advance(1_000);
      wire().onopen?.();
      const reaction = about('reaction', 8, { user: 'alice', emoji: '👍', op: 'add', id });
      wire().says(welcome(), reaction, { type: 'caught_up', position: 'p8' });
      await settle();
      expect(wire().heardOf('react')).toEqual([]);
      expect(waiting()).toEqual([]);
      expect(messagesIn()[0]?.reactions).toEqual([{ emoji: '👍', users: ['alice'], count: 1 }]);
    });

    it('hst2_versions_are_as_new_as_the_last_change', async () => {
      await read();
      wire().says(about('edited', 8, { by: 'alice', text: 'one' }));
      const asked = client.versions(C, 3, new AbortController().signal);
      await settle();
      const path = `/history/conversations/${C}/messages/3/versions`;
      expect(request(path).minPosition).toBe('p8');
      const versions = [
        { seq: 3, text: 'text 3', at: AT },
        { seq: 8, text: 'one', at: AT },
      ];
      await request(path).answer(200, page(...versions));
      expect(await asked).toEqual(versions);
    });

    it('con5_what_was_done_while_a_page_was_read_is_not_undone_by_it', async () => {
      client.open(KEY);
      await goLive();
      wire().says(about('edited', 8, { by: 'alice', text: 'one' }));
      wire().says(about('reaction', 9, { user: 'bob', emoji: '👍', op: 'add' }));
      // Read before either happened.
      await request('/history/direct?').answer(200, page(item(3, 'alice')));
      await request('/history/conversations?').answer(200, page(row(item(3, 'alice'))));
      expect(texts()).toEqual(['one']);
      expect(messagesIn()[0]?.reactions).toHaveLength(1);
    });
  });
});
