import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ClientFrame, OkFrame } from '../net/frames.ts';
import { counter, ManualClock, settle } from '../testing/clock.ts';
import type { Command } from './commands/commands.ts';
import { openDatabase } from './database.ts';
import { Outbox, type Tabs } from './outbox.ts';
import { pendingBlock } from './pending.ts';
import { type Entry, MAX_ENTRIES } from './queue.ts';
import { MemoryStorage, type OutboxStorage, openStorage } from './storage.ts';
import { Uuid7 } from './uuid7.ts';

const TO = { conversation: 'c' };
const say = (text: string): Command => ({ kind: 'send', to: TO, text });
const edit = (message: number, text: string): Command => ({ kind: 'edit', to: TO, message, text });
const react = (message: number, emoji: string, op: 'add' | 'remove'): Command => ({
  ...{ kind: 'react', to: TO, message, emoji, op },
});
const R = { conversation: 'r' };
let user = '';
let users = 0;
let clock: ManualClock;
let tabEnded: () => void;
/** The tabs that are no more. */
let closed: string[];
let nextRef: () => number;
let nextId: () => number;
/** All that left, and of that the messages. */
let left: ClientFrame[];
let frames: (ClientFrame & { type: 'send' })[];
let sent: { entry: Entry; ok: OkFrame }[];
let doubts: number;
let makeId: () => string;

beforeEach(() => {
  // A database of its own for each test.
  users += 1;
  user = `user${users}`;
  clock = new ManualClock();
  nextRef = counter();
  nextId = counter();
  left = [];
  frames = [];
  sent = [];
  doubts = 0;
  closed = [];
  makeId = () => `id-${nextId()}`;
});

function outbox(storage: Promise<OutboxStorage>, id: string, living: string[] = [id]): Outbox {
  const tabs: Tabs = {
    id,
    living: () => Promise.resolve(new Set(living)),
    onEnd: (listener) => {
      tabEnded = listener;
      return () => {
        tabEnded = () => {};
      };
    },
    close: () => closed.push(id),
  };
  return new Outbox({
    environment: clock,
    storage,
    tabs,
    makeId: () => makeId(),
    serverNow: () => clock.now(),
    nextRef,
    send(frame) {
      left.push(frame);
      if (frame.type === 'send') frames.push(frame);
      return true;
    },
    sent: (entry, ok) => sent.push({ entry, ok }),
    clockDoubted: () => {
      doubts += 1;
    },
  });
}

const onDisk = () => openStorage(openDatabase(indexedDB, user));
/** IndexedDB answers in tasks of its own: wait for what is to be true, at most 10 s of real time. */
async function eventually<T>(look: () => Promise<T> | T, good: (seen: T) => boolean): Promise<T> {
  const end = performance.now() + 10_000;
  for (;;) {
    const seen = await look();
    if (good(seen)) return seen;
    if (performance.now() > end) throw new Error(`still ${JSON.stringify(seen)} after 10 s`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
const ok = (ref: number, seq: number): OkFrame => ({
  type: 'ok',
  ref,
  seq,
  position: `p${seq}`,
  conversation: 'c',
  at: '2026-05-01T12:00:00.000Z',
  duplicate: false,
});
const wordsOf = (entry: Entry) => ('text' in entry ? entry.text : entry.kind);
const states = (of: Outbox) =>
  of.queue.entries.map((entry) => `${entry.id} ${entry.status} ${wordsOf(entry)}`);

describe('the outbox', () => {
  it('keeps_what_was_written_over_a_reload_in_order_and_with_its_ids', async () => {
    const before = outbox(onDisk(), 'tab-1');
    before.add(say('one'));
    before.add(say('two'));
    before.live();
    expect(frames).toHaveLength(1);
    const storage = await onDisk();
    await eventually(
      () => storage.all(),
      (all) => all.length === 2,
    );
    before.close();

    const after = outbox(onDisk(), 'tab-2');
    await after.adopt();
    expect(states(after)).toEqual(['id-1 queued one', 'id-2 queued two']);
    after.live();
    expect(frames.map(({ id, text }) => `${id} ${text}`)).toEqual(['id-1 one', 'id-1 one']);
  });

  it('cmd7_blocks_leave_in_the_order_in_which_they_were_asked_for_also_after_a_reload', async () => {
    const before = outbox(onDisk(), 'tab-1');
    before.add({ kind: 'block', user: 'bob', blocked: true });
    before.add({ kind: 'block', user: 'bob', blocked: false });
    const storage = await onDisk();
    await eventually(
      () => storage.all(),
      (all) => all.length === 2,
    );
    before.close();

    const after = outbox(onDisk(), 'tab-2');
    await after.adopt();
    expect(pendingBlock(after.queue.entries, 'bob')).toBe(false);
    expect(pendingBlock(after.queue.entries, 'carol')).toBeUndefined();
    after.live();
    after.answered(ok(1, 7));
    expect(left).toEqual([
      { type: 'block', ref: 1, id: 'id-1', user: 'bob' },
      { type: 'unblock', ref: 2, id: 'id-2', user: 'bob' },
    ]);
    after.answered({ type: 'error', ref: 2, code: 'unknown_user', message: 'no', temporary: false });
    expect(pendingBlock(after.queue.entries, 'bob')).toBeUndefined();
  });

  it('leaves_the_disk_when_the_server_has_it', async () => {
    const box = outbox(onDisk(), 'tab-1');
    box.add(say('one'));
    box.live();
    expect(box.answered(ok(1, 7))).toBe(true);
    expect(sent).toMatchObject([{ entry: { text: 'one' }, ok: { seq: 7 } }]);
    expect(states(box)).toEqual([]);
    const storage = await onDisk();
    await eventually(
      () => storage.all(),
      (all) => all.length === 0,
    );
    await box.adopt();
    expect(states(box)).toEqual([]);
  });

  it('keeps_a_failure_and_its_reason_over_a_reload', async () => {
    const box = outbox(onDisk(), 'tab-1');
    box.add(say('one'));
    box.live();
    box.answered({
      type: 'error',
      ref: 1,
      code: 'blocked',
      message: 'bob has blocked you',
      temporary: false,
    });
    const storage = await onDisk();
    await eventually(
      () => storage.all(),
      ([first]) => first?.status === 'failed',
    );
    const after = outbox(onDisk(), 'tab-2');
    await after.adopt();
    expect(after.queue.entries[0]?.fault).toEqual({ code: 'blocked', message: 'bob has blocked you' });
    after.live();
    expect(frames).toHaveLength(1);
    after.retry('id-1');
    expect(frames.map(({ id }) => id)).toEqual(['id-1', 'id-1']);
  });

  it('leaves_alone_what_another_open_tab_is_sending', async () => {
    const other = outbox(onDisk(), 'tab-1');
    other.add(say('theirs'));
    const storage = await onDisk();
    await eventually(
      () => storage.all(),
      (all) => all.length === 1,
    );
    const mine = outbox(onDisk(), 'tab-2', ['tab-1', 'tab-2']);
    await mine.adopt();
    expect(states(mine)).toEqual([]);
    const later = outbox(onDisk(), 'tab-3', ['tab-2', 'tab-3']);
    await later.adopt();
    expect(states(later)).toEqual(['id-1 queued theirs']);
  });

  it('leaves_all_of_it_to_others_when_its_session_ends', async () => {
    const other = outbox(onDisk(), 'tab-1');
    other.add(say('theirs'));
    other.close();
    expect(closed).toEqual([]);
    await eventually(
      () => closed,
      (tabs) => tabs.length === 1,
    );
    const mine = outbox(onDisk(), 'tab-2');
    await mine.adopt();
    expect(states(mine)).toEqual(['id-1 queued theirs']);
  });

  it('takes_over_what_another_tab_left_as_soon_as_that_is_closed', async () => {
    const other = outbox(onDisk(), 'tab-1');
    other.add(say('theirs'));
    const storage = await onDisk();
    await eventually(
      () => storage.all(),
      (all) => all.length === 1,
    );
    const living = ['tab-1', 'tab-2'];
    const mine = outbox(onDisk(), 'tab-2', living);
    mine.live();
    await mine.adopt();
    expect(states(mine)).toEqual([]);
    living.shift();
    tabEnded();
    await eventually(
      () => frames,
      (all) => all.length === 1,
    );
    expect(states(mine)).toEqual(['id-1 sending theirs']);
    mine.close();
    tabEnded();
    expect(states(mine)).toEqual([]);
  });

  it('one_user_does_not_see_what_another_left_here', async () => {
    const box = outbox(onDisk(), 'tab-1');
    box.add(say('secret'));
    const storage = await onDisk();
    await eventually(
      () => storage.all(),
      (all) => all.length === 1,
    );
    user = `${user}-other`;
    const other = outbox(onDisk(), 'tab-2');
    await other.adopt();
    expect(states(other)).toEqual([]);
  });

  it('forgets_everything_when_its_user_logs_out', async () => {
    const box = outbox(onDisk(), 'tab-1');
    box.add(say('one'));
    await box.clear();
    expect(await (await onDisk()).all()).toEqual([]);
    expect(states(box)).toEqual([]);
  });

  it('does_not_trust_blindly_what_it_finds_on_disk', async () => {
    const storage = await onDisk();
    await storage.put({ id: 'strange' } as never);
    const rest = { order: 1, owner: 't', composedAt: 1, status: 'queued' };
    await storage.put({ id: 'nothing', kind: 'levitate', to: TO, ...rest } as never);
    await storage.put({ id: 'nowhere', kind: 'delete', to: TO, ...rest } as never);
    await storage.put({
      id: 'neither',
      kind: 'react',
      message: 1,
      emoji: '👍',
      op: 'swap',
      to: TO,
      ...rest,
    } as never);
    // As the page kept messages before there was anything else to keep.
    await storage.put({ id: 'good', to: TO, text: 'x', ...rest } as never);
    const box = outbox(onDisk(), 'tab-1');
    await box.adopt();
    expect(box.queue.entries.map(({ id }) => id)).toEqual(['good']);
  });

  it('works_in_memory_where_there_is_no_disk_and_says_so', async () => {
    expect(await openStorage(openDatabase(undefined, user))).toBeInstanceOf(MemoryStorage);
    const box = outbox(openStorage(openDatabase(undefined, user)), 'tab-1');
    await box.adopt();
    expect(box.durable).toBe(false);
    box.add(say('one'));
    box.live();
    expect(frames).toHaveLength(1);
  });

  it('a_disk_that_breaks_stops_no_message', async () => {
    const broken = new MemoryStorage();
    broken.put = () => Promise.reject(new Error('quota'));
    const box = outbox(Promise.resolve(broken), 'tab-1');
    box.live();
    box.add(say('one'));
    await settle();
    expect(frames).toHaveLength(1);
    expect(box.durable).toBe(false);
  });

  it('is_bounded_and_says_when_it_is_full', () => {
    const box = outbox(Promise.resolve(new MemoryStorage()), 'tab-1');
    for (let n = 0; n < MAX_ENTRIES; n += 1) expect(box.add(say('x'))).toHaveProperty('id');
    expect(box.add(say('x'))).toEqual({ fault: 'full' });
    expect(box.queue.entries).toHaveLength(MAX_ENTRIES);
  });

  it('cmd4_refuses_what_the_server_would_before_it_waits_in_line', () => {
    const box = outbox(Promise.resolve(new MemoryStorage()), 'tab-1');
    expect(box.add(say(' \n\t '))).toEqual({ fault: 'empty' });
    expect(box.add(say('bell \u0007'))).toEqual({ fault: 'control_character' });
    expect(box.add(say('🦊'.repeat(8_000)))).toHaveProperty('id');
    expect(box.add(say('🦊'.repeat(8_001)))).toEqual({ fault: 'too_long' });
    expect(box.add(say('a\r\nb'))).toHaveProperty('id');
    expect(states(box).at(-1)).toBe('id-2 queued a\nb');
    box.add(say('half a fox \ud83e'));
    expect(states(box).at(-1)).toBe('id-3 queued half a fox \ufffd');
  });

  it('frm5_all_that_a_person_does_leaves_in_the_order_in_which_they_did_it', () => {
    const box = outbox(Promise.resolve(new MemoryStorage()), 'tab-1');
    box.add(say('one'));
    expect(box.add(edit(5, 'a\r\nb'))).toEqual({ id: 'id-2' });
    box.add(react(6, '👍', 'add'));
    box.add(react(6, '👍', 'remove'));
    box.add({ kind: 'delete', to: TO, message: 5 });
    box.live();
    for (let ref = 1; ref <= 5; ref += 1) box.answered(ok(ref, 10 + ref));
    const about = { conversation: 'c', message: 6, emoji: '👍' };
    expect(left).toEqual([
      { type: 'send', ref: 1, id: 'id-1', to: TO, text: 'one' },
      { type: 'edit', ref: 2, id: 'id-2', conversation: 'c', message: 5, text: 'a\nb' },
      { type: 'react', ref: 3, id: 'id-3', ...about, op: 'add' },
      { type: 'react', ref: 4, id: 'id-4', ...about, op: 'remove' },
      { type: 'delete', ref: 5, id: 'id-5', conversation: 'c', message: 5 },
    ]);
    expect(sent.map(({ entry, ok: { seq } }) => `${entry.kind} ${seq}`)).toEqual([
      'send 11',
      'edit 12',
      'react 13',
      'react 14',
      'delete 15',
    ]);
  });

  it('cmd4_an_edit_is_held_to_the_same_rules_as_a_message', () => {
    const box = outbox(Promise.resolve(new MemoryStorage()), 'tab-1');
    expect(box.add(edit(5, ' '))).toEqual({ fault: 'empty' });
    expect(box.add(edit(5, 'bell \u0007'))).toEqual({ fault: 'control_character' });
    expect(box.add(edit(5, '🦊'.repeat(8_001)))).toEqual({ fault: 'too_long' });
    expect(box.queue.entries).toEqual([]);
  });

  it('cmd2_what_was_done_to_a_message_outlives_the_page_with_its_id', async () => {
    const before = outbox(onDisk(), 'tab-1');
    before.add(react(6, '👍', 'add'));
    before.add(edit(5, 'again'));
    await eventually(
      async () => (await onDisk()).all(),
      (kept) => kept.length === 2,
    );
    before.close();
    const after = outbox(onDisk(), 'tab-2');
    await after.adopt();
    after.live();
    after.answered(ok(1, 20));
    expect(left.map((frame) => ('id' in frame ? `${frame.type} ${frame.id}` : ''))).toEqual([
      'react id-1',
      'edit id-2',
    ]);
  });

  it('cmd2_rooms_that_are_made_joined_and_left_outlive_the_page_with_their_ids', async () => {
    const before = outbox(onDisk(), 'tab-1');
    before.add({ kind: 'create', name: 'Lobby', visibility: 'private' });
    before.add({ kind: 'join', to: R, name: 'Hall' });
    before.add({ kind: 'leave', to: R, name: 'Hall' });
    await eventually(
      async () => (await onDisk()).all(),
      (kept) => kept.length === 3,
    );
    before.close();
    const after = outbox(onDisk(), 'tab-2');
    await after.adopt();
    after.live();
    for (let ref = 1; ref <= 3; ref += 1) after.answered(ok(ref, 20 + ref));
    expect(left).toEqual([
      { type: 'room.create', ref: 1, id: 'id-1', name: 'Lobby', visibility: 'private' },
      { type: 'room.join', ref: 2, id: 'id-2', conversation: 'r' },
      { type: 'room.leave', ref: 3, id: 'id-3', conversation: 'r' },
    ]);
    expect(sent.map(({ entry }) => entry.kind)).toEqual(['create', 'join', 'leave']);
  });

  it('what_an_earlier_page_wrote_goes_first_also_where_the_clock_was_put_back_since', async () => {
    const storage = Promise.resolve(new MemoryStorage());
    const before = outbox(storage, 'tab-1');
    clock.advance(3_600_000);
    before.add(say('one'));
    await settle();
    before.close();
    clock = new ManualClock();
    const after = outbox(storage, 'tab-2');
    await after.adopt();
    after.add(say('two'));
    expect(states(after)).toEqual(['id-1 queued one', 'id-2 queued two']);
    await settle();
    const last = outbox(storage, 'tab-3');
    await last.adopt();
    expect(states(last)).toEqual(['id-1 queued one', 'id-2 queued two']);
  });

  it('cmd2_an_id_of_a_time_to_come_is_made_anew_before_it_is_sent', async () => {
    const uuid = new Uuid7((bytes) => bytes.fill(7));
    const ahead = 30 * 3_600_000;
    makeId = () => uuid.make(clock.now() + ahead);
    const storage = Promise.resolve(new MemoryStorage());
    const box = outbox(storage, 'tab-1');
    box.add(say('one'));
    box.add(say('two'));
    makeId = () => uuid.make(clock.now());
    const early = box.queue.entries.map(({ id }) => id);
    box.live();
    box.answered(ok(1, 5));
    box.answered(ok(2, 6));
    expect(frames.map(({ text }) => text)).toEqual(['one', 'two']);
    expect(frames.filter(({ id }) => early.includes(id))).toEqual([]);
    expect(states(box)).toEqual([]);
    await settle();
    expect(await (await storage).all()).toEqual([]);
  });

  it('cmd2_patience_that_only_a_wrong_clock_can_need_is_not_had_and_the_time_is_asked', () => {
    const box = outbox(Promise.resolve(new MemoryStorage()), 'tab-1');
    box.add(say('one'));
    box.live();
    const refusal = { type: 'error', code: 'unavailable', message: '', temporary: true } as const;
    box.answered({ ...refusal, ref: 1, retryAfterMs: 2_000 });
    expect(doubts).toBe(0);
    clock.advance(2_000);
    box.answered({ ...refusal, ref: 2, retryAfterMs: 30 * 3_600_000 });
    expect(doubts).toBe(1);
    clock.advance(2_000);
    expect(frames).toHaveLength(3);
  });

  it('con3_its_own_event_in_a_replay_settles_it_without_another_send', () => {
    const box = outbox(Promise.resolve(new MemoryStorage()), 'tab-1');
    box.add(say('one'));
    box.live();
    box.down();
    box.seen('id-1');
    box.live();
    expect(frames).toHaveLength(1);
    expect(states(box)).toEqual([]);
  });

  it('answers_of_an_earlier_session_are_not_taken_for_answers_of_this_one', () => {
    const box = outbox(Promise.resolve(new MemoryStorage()), 'tab-1');
    box.add(say('one'));
    box.live();
    box.down();
    expect(box.answered(ok(1, 7))).toBe(false);
    expect(states(box)).toEqual(['id-1 queued one']);
  });

  it('an_answer_that_comes_after_the_second_try_still_counts', () => {
    const box = outbox(Promise.resolve(new MemoryStorage()), 'tab-1');
    box.add(say('one'));
    box.live();
    clock.advance(21_000);
    expect(frames.map(({ id }) => id)).toEqual(['id-1', 'id-1']);
    expect(box.answered(ok(1, 7))).toBe(true);
    expect(states(box)).toEqual([]);
    box.answered(ok(2, 7));
    expect(sent).toHaveLength(1);
  });
});
