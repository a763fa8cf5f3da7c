import { beforeEach, describe, expect, it } from 'vitest';
import { Auth } from '../net/auth.ts';
import type { Socket } from '../net/connection/driver.ts';
import { History } from '../net/history.ts';
import { Http } from '../net/http.ts';
import { MemoryStorage } from '../outbox/storage.ts';
import { unreadCount } from '../store/conversation.ts';
import { directKey, roomKey } from '../store/state.ts';
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
const seqs = () => client.store.state.conversations.get(C)?.messages.map(({ seq }) => seq) ?? [];
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
  client = new Client({
    me: await login,
    auth,
    history: new History(http, auth),
    environment: clock,
    openSocket: () => {
      wires.push(new Wire());
      return wire();
    },
    probe: () => Promise.resolve(false),
    storage: Promise.resolve(new MemoryStorage()),
    tabs: { id: 'tab', living: () => Promise.resolve(new Set(['tab'])), onEnd: () => () => {} },
    fillRandom: (bytes) => void crypto.getRandomValues(bytes),
  });
  client.start();
});

async function goLive(position = 'p0'): Promise<void> {
  wire().onopen?.();
  wire().says(welcome(), { type: 'reset', reason: 'fresh', position });
  await settle();
}

describe('the client', () => {
  it('con5_after_a_reset_first_pages_are_as_new_as_it_and_applied_is_said_when_they_are_in', async () => {
    client.open(KEY);
    await goLive('p7');
    expect(request('/history/conversations?').minPosition).toBe('p7');
    expect(request('/history/direct?').minPosition).toBe('p7');
    expect(wire().heardOf('applied')).toEqual([]);
    await request('/history/conversations?').answer(200, page(row(item(3), 2)));
    await request('/history/direct?').answer(200, page(item(3), item(2), item(1)));
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

    client.block('bob', false);
    const [said] = wire().heardOf('unblock');
    expect(said).toMatchObject({ user: 'bob' });
    wire().says({ type: 'ok', ref: said?.ref, seq: 9, position: 'p9', at: AT });
    expect(blocked()).toEqual(['dora']);
    expect(waiting()).toEqual([]);

    // Its `ok` got lost: the event says that it is done.
    client.block('bob', true);
    const { id } = wire().heardOf('block')[0] ?? {};
    expect(waiting()).toEqual(['block sending']);
    wire().says({ type: 'block', seq: 10, position: 'p10', user: 'bob', blocked: true, id, at: AT });
    expect(blocked()).toEqual(['bob', 'dora']);
    expect(waiting()).toEqual([]);
  });

  it('people_of_the_list_and_of_new_messages_are_called_by_their_names', async () => {
    const names = () => Object.fromEntries(client.store.state.names);
    await goLive();
    await request('/history/conversations?').answer(200, page(row(item(3))));
    await request('/history/users/bob').answer(503, { code: 'unavailable', temporary: true });
    expect(names()).toEqual({});
    clock.advance(10_000);
    await settle();
    await request('/history/users/bob').answer(200, { user: 'bob', display_name: 'Bob B.' });
    expect(names()).toEqual({ bob: 'Bob B.' });
    wire().says({ ...message(4, 'carol'), conversation: 'other', participants: ['alice', 'carol'] });
    await settle();
    await request('/history/users/carol').answer(404, { code: 'not_found', temporary: false });
    wire().says({ ...message(5, 'dora'), conversation: 'third', participants: ['alice', 'dora'] });
    await settle();
    await request('/history/users/dora').answer(200, { user: 'dora', display_name: 'Dora' });
    expect(names()).toEqual({ bob: 'Bob B.', dora: 'Dora' });
    expect(asked.filter(({ path }) => path.startsWith('/history/users/alice'))).toEqual([]);
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
    expect(client.store.state.list).toEqual({ status: 'failed', message: 'History is behind' });
    const before = asked.length;
    clock.advance(700);
    await settle();
    expect(asked.length).toBe(before + 1);
    await request('/history/conversations?').answer(200, page(row(item(3), 1)));
    expect(client.store.state.list).toEqual({ status: 'done' });
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
    expect(seqs()).toEqual([5]);
  });

  it('an_own_message_in_a_page_settles_it_too', async () => {
    await goLive();
    client.send(KEY, 'one');
    const id = String(wire().heardOf('send')[0]?.id);
    await request('/history/conversations?').answer(200, page(row(item(5, 'alice', id))));
    expect(waiting()).toEqual([]);
    expect(seqs()).toEqual([5]);
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

  it('a_message_of_an_unknown_conversation_asks_once_what_that_is_at_its_position', async () => {
    await goLive();
    await request('/history/conversations?').answer(200, page());
    const before = asked.length;
    const { participants: _, ...unnamed } = message(4);
    wire().says(unnamed, { ...unnamed, ...item(5), position: 'p5' });
    await settle();
    const since = asked.slice(before).filter(({ path }) => !path.startsWith('/history/users/'));
    expect(since.map(({ path, minPosition }) => [path, minPosition])).toEqual([
      [`/history/conversations/${C}`, 'p4'],
    ]);
    await request(`/history/conversations/${C}`).answer(200, { ...row(item(4), 1), position: 'h' });
    expect(client.store.state.direct.get(KEY)).toBe(C);
  });

  it('history_is_read_also_when_no_session_can_be_had', async () => {
    wire().onclose?.({ code: 1006 });
    await settle();
    await request('/history/conversations?').answer(200, page(row(item(3), 1)));
    expect(seqs()).toEqual([3]);
  });

  it('older_pages_are_asked_for_before_the_oldest_one_at_a_time', async () => {
    client.open(KEY);
    await goLive();
    await request('/history/direct?').answer(200, { ...page(item(9), item(8)), next: 'more' });
    void client.loadOlder(C);
    void client.loadOlder(C);
    await settle();
    const older = asked.filter(({ path }) => path.includes('before='));
    expect(older.map(({ path }) => path)).toEqual([`/history/conversations/${C}/messages?limit=50&before=8`]);
    await request(`/history/conversations/${C}/messages`).answer(200, page(item(7)));
    expect(seqs()).toEqual([7, 8, 9]);
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
      client.joinRoom(R, 'Lobby');
      const [join] = wire().heardOf('room.join');
      expect(join).toMatchObject({ conversation: R });
      wire().says({ type: 'ok', ref: join?.ref, seq: 5, position: 'p5', conversation: R, at: AT });
      expect(client.store.state.entered).toEqual({ id: join?.id, conversation: R });
      await settle();
      await request(ROOM).answer(200, roomRow());
      client.open(roomKey(R));
      await settle();
      expect(request(`${ROOM}/messages?`).minPosition).toBe('p5');
      await request(`${ROOM}/messages?`).answer(200, page(said(4)));
      expect(roomOf()?.messages.map(({ seq }) => seq)).toEqual([4]);
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
      client.createRoom('Lobby', 'public');
      const [made] = wire().heardOf('room.create');
      expect(made).toMatchObject({ name: 'Lobby', visibility: 'public' });
      const facts = { name: 'Lobby', visibility: 'public', archived: false, owners: ['alice'] };
      wire().says(about('room', 5, { ...facts, by: 'alice', id: made?.id }));
      wire().says(about('member', 5, { user: 'alice', change: 'joined', role: 'owner', by: 'alice' }));
      expect(waiting()).toEqual([]);
      expect(client.store.state.entered).toEqual({ id: made?.id, conversation: R });
      await settle();
      await request(ROOM).answer(200, roomRow('owner'));
      expect(roomOf()?.room?.name).toBe('Lobby');
    });

    it('evt3_a_room_that_one_left_is_gone_at_the_ok', async () => {
      await goLive();
      await request('/history/conversations?').answer(200, page(roomRow()));
      client.leaveRoom(R, 'Lobby');
      const [leave] = wire().heardOf('room.leave');
      wire().says({ type: 'ok', ref: leave?.ref, seq: 6, position: 'p6', conversation: R, at: AT });
      expect(roomOf()).toBeUndefined();
      expect(client.store.state.gone.get(R)).toEqual({ name: 'Lobby', change: 'left', by: 'alice' });
    });

    it('cmd6_a_room_that_is_not_ones_own_says_so_at_its_address', async () => {
      client.open(roomKey(R));
      await goLive();
      const failed = { status: 'failed', message: 'You are not in this room.' };
      await request(ROOM).answer(404, { code: 'not_found', title: 'no', temporary: false });
      expect(client.store.state.readings.get(roomKey(R))).toEqual(failed);
      client.reread();
      await settle();
      // Who was in it once still reads that; it is no room of theirs.
      await request(ROOM).answer(200, roomRow(null));
      expect(client.store.state.readings.get(roomKey(R))).toEqual(failed);
      expect(roomOf()).toBeUndefined();
    });

    it('whoever_speaks_in_a_room_is_called_by_their_name', async () => {
      await goLive();
      await request('/history/conversations?').answer(200, page(roomRow('member', said(3))));
      await request('/history/users/bob').answer(200, { user: 'bob', display_name: 'Bob B.' });
      wire().says(about('message', 5, { sender: 'cy', id: 'i', text: 'hi', mentions: [] }));
      await settle();
      await request('/history/users/cy').answer(200, { user: 'cy', display_name: 'Cy' });
      expect(Object.fromEntries(client.store.state.names)).toEqual({ bob: 'Bob B.', cy: 'Cy' });
      expect(asked.filter(({ path }) => path === ROOM)).toEqual([]);
    });
  });

  describe('what is done to messages', () => {
    const texts = () => client.store.state.conversations.get(C)?.messages.map(({ text }) => text) ?? [];
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
      client.edit(C, 3, 'one');
      const [{ ref, id }] = wire().heardOf('edit') as [{ ref: number; id: string }];
      wire().says({ type: 'ok', ref, seq: 8, position: 'p8', at: AT });
      expect([texts(), waiting()]).toEqual([['one'], []]);
      client.edit(C, 3, 'two');
      const again = wire().heardOf('edit').at(-1) as { ref: number; id: string };
      expect(again.id).not.toBe(id);
      wire().says({ type: 'ok', ref: again.ref, seq: 9, at: AT, duplicate: true });
      expect([texts(), waiting()]).toEqual([['one'], []]);
      wire().says(about('edited', 9, { by: 'alice', text: 'two' }));
      expect(texts()).toEqual(['two']);
    });

    it('con3_ones_own_event_in_a_replay_settles_the_command', async () => {
      await read();
      client.react(C, 3, '👍', 'add');
      const [{ id }] = wire().heardOf('react') as [{ id: string }];
      wire().onclose?.({ code: 1006 });
      clock.advance(1_000);
      wire().onopen?.();
      const reaction = about('reaction', 8, { user: 'alice', emoji: '👍', op: 'add', id });
      wire().says(welcome(), reaction, { type: 'caught_up', position: 'p8' });
      await settle();
      expect(wire().heardOf('react')).toEqual([]);
      expect(waiting()).toEqual([]);
      expect(client.store.state.conversations.get(C)?.messages[0]?.reactions).toEqual([
        { emoji: '👍', users: ['alice'], count: 1 },
      ]);
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
      expect(client.store.state.conversations.get(C)?.messages[0]?.reactions).toHaveLength(1);
    });
  });
});
