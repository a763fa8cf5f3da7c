import { IDBFactory } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Keep, noKeep, openDatabase, Shelf } from './database.ts';
import { Drafts, draftKey, editKey, MAX_DRAFTS, replyTo } from './drafts.ts';
import { Settings } from './settings.ts';
import { openStorage } from './storage.ts';

let factory: IDBFactory;
let now: number;
let timers: { at: number; fire: () => void }[];
const open: Drafts[] = [];
const environment = {
  now: () => now,
  random: () => 0,
  frame: (fire: () => void) => fire(),
  after(ms: number, fire: () => void) {
    const timer = { at: now + ms, fire };
    timers.push(timer);
    return () => {
      timers = timers.filter((other) => other !== timer);
    };
  },
};
const kept = (): Keep => ({
  database: openDatabase(factory, 'ada'),
  channel: (name) => new BroadcastChannel(`test:${name}`),
});
const tab = async (on: Keep = kept()): Promise<Drafts> => {
  const drafts = new Drafts(environment, on);
  open.push(drafts);
  await drafts.load();
  return drafts;
};
const REPLY = replyTo({ seq: 7, sender: 'bob', text: 'Shall we?' });

it('drafts_in_several_places_are_kept_in_one_transaction', async () => {
  const keep = kept();
  const database = await keep.database;
  if (database === null) throw new Error('no database');
  const drafts = await tab(keep);
  const begun = vi.spyOn(database, 'transaction');
  drafts.write('a', { text: 'Red or blue?' });
  drafts.write('b', { text: 'Something else' });
  drafts.drop('c');
  await drafts.save();
  expect(begun).toHaveBeenCalledTimes(1);
  const next = await tab();
  expect(['a', 'b', 'c'].map((key) => next.get(key)?.text)).toEqual([
    'Red or blue?',
    'Something else',
    undefined,
  ]);
});

it('con3_in_another_log_drafts_answer_nothing_but_say_what_they_said', async () => {
  const before = await tab();
  before.write('a', { text: 'Yes', reply: REPLY });
  before.write('b', { reply: REPLY });
  before.write(editKey('a', 7), { text: 'No' });
  await before.save();
  // Also what a disk that was slow tells of the time before.
  const slow = new Drafts(environment, kept());
  open.push(slow);
  slow.otherLog();
  await slow.load();
  before.otherLog();
  for (const drafts of [before, slow])
    expect([drafts.get('a'), drafts.get('b')]).toMatchObject([{ text: 'Yes', reply: null }, undefined]);
  await slow.save();
  const after = await tab();
  expect(after.get('a')).toMatchObject({ text: 'Yes', reply: null });
  for (const drafts of [before, slow, after]) expect(drafts.editing('a')).toBeNull();
});

beforeEach(() => {
  factory = new IDBFactory();
  now = 1_000;
  timers = [];
});
afterEach(() => {
  for (const drafts of open.splice(0)) drafts.close();
});

describe('a draft', () => {
  it('with_what_it_answers_is_there_after_a_reload', async () => {
    const before = await tab();
    before.write('ada,bob', { text: 'Hello' });
    before.write('ada,bob', { reply: REPLY });
    await before.save();
    before.close();
    const after = await tab();
    expect(after.get('ada,bob')).toEqual({ key: 'ada,bob', text: 'Hello', reply: REPLY, at: 1_000 });
  });

  it('is_saved_a_moment_after_it_was_written_and_once', async () => {
    const drafts = await tab();
    for (const text of ['H', 'He', 'Hel']) drafts.write('ada,bob', { text });
    expect(timers.map(({ at }) => at)).toEqual([1_400]);
    timers.pop()?.fire();
    const shelf = new Shelf(kept().database, 'drafts');
    await vi.waitFor(async () => expect(await shelf.all()).toMatchObject([{ text: 'Hel' }]));
  });

  it('that_was_sent_or_emptied_is_gone_for_good', async () => {
    const before = await tab();
    before.write('ada,bob', { text: 'Hello' });
    await before.save();
    before.drop('ada,bob');
    await before.save();
    expect((await tab()).get('ada,bob')).toBeUndefined();
  });

  it('written_before_the_disk_answered_is_not_overwritten', async () => {
    const before = await tab();
    before.write('ada,bob', { text: 'old' });
    before.write('ada,eve', { text: 'other' });
    await before.save();
    const drafts = new Drafts(environment, kept());
    open.push(drafts);
    const loading = drafts.load();
    drafts.write('ada,bob', { text: 'new' });
    drafts.drop('ada,eve');
    await loading;
    expect([drafts.get('ada,bob')?.text, drafts.get('ada,eve')]).toEqual(['new', undefined]);
  });

  it('of_a_thread_is_its_own', () => {
    expect(draftKey('room:1')).toBe('room:1');
    expect(draftKey('room:1', 12)).not.toBe(draftKey('room:1', 13));
  });

  it('of_an_edit_is_kept_until_it_is_dropped_also_while_nothing_is_left_of_it', async () => {
    const before = await tab();
    before.write(editKey('c', 7), { text: 'Otherwise' });
    now += 1;
    before.write(editKey('c', 12), { text: 'Later' });
    before.write(editKey('c/7', 8), { text: 'In the thread' });
    before.write(editKey('c', 12), { text: '' });
    await before.save();
    const after = await tab();
    expect(['c', 'c/7', 'd'].map((line) => after.editing(line))).toEqual([12, 8, null]);
    after.drop(editKey('c', 12));
    expect([after.editing('c'), after.get(editKey('c', 7))?.text]).toEqual([7, 'Otherwise']);
  });

  it('is_one_of_at_most_100_of_which_the_oldest_goes', async () => {
    const drafts = await tab();
    for (let n = 0; n <= MAX_DRAFTS; n += 1) {
      now += 1;
      drafts.write(`room:${n}`, { text: 'x' });
    }
    await drafts.save();
    expect([drafts.get('room:0'), drafts.get('room:1')?.text]).toEqual([undefined, 'x']);
    expect(await new Shelf(kept().database, 'drafts').all()).toHaveLength(MAX_DRAFTS);
  });

  it('that_is_far_too_long_keeps_its_beginning_on_the_disk', async () => {
    const drafts = await tab();
    drafts.write('ada,bob', { text: 'x'.repeat(100_000) });
    await drafts.save();
    expect(drafts.get('ada,bob')?.text).toHaveLength(100_000);
    expect((await tab()).get('ada,bob')?.text).toHaveLength(16_000);
  });

  it('lives_in_memory_where_there_is_no_database', async () => {
    const drafts = await tab(noKeep);
    drafts.write('ada,bob', { text: 'Hello' });
    await drafts.save();
    expect(drafts.get('ada,bob')?.text).toBe('Hello');
  });

  it('that_makes_no_sense_is_left_alone', async () => {
    const shelf = new Shelf(kept().database, 'drafts');
    await shelf.put({ key: 'ada,bob', text: 5 } as never);
    await shelf.put({ key: 'ada,eve', text: 'x', reply: { seq: 'y' }, at: 1 } as never);
    const drafts = await tab();
    expect([drafts.get('ada,bob'), drafts.get('ada,eve')]).toEqual([undefined, undefined]);
  });
});

describe('two tabs', () => {
  it('show_the_same_draft_and_the_last_writer_wins', async () => {
    const [one, two] = [await tab(), await tab()];
    one.write('ada,bob', { text: 'from one' });
    await one.save();
    await vi.waitFor(() => expect(two.get('ada,bob')?.text).toBe('from one'));
    now += 1;
    two.write('ada,bob', { text: 'from two' });
    await two.save();
    await vi.waitFor(() => expect(one.get('ada,bob')?.text).toBe('from two'));
    one.drop('ada,bob');
    await one.save();
    await vi.waitFor(() => expect(two.get('ada,bob')).toBeUndefined());
  });

  it('do_not_write_into_the_field_that_somebody_is_in', async () => {
    const [one, two] = [await tab(), await tab()];
    two.hold('ada,bob');
    one.write('ada,bob', { text: 'from one' });
    one.write('ada,eve', { text: 'seen' });
    await one.save();
    await vi.waitFor(() => expect(two.get('ada,eve')?.text).toBe('seen'));
    expect(two.get('ada,bob')).toBeUndefined();
    two.release('ada,bob');
    expect(two.get('ada,bob')?.text).toBe('from one');
  });

  it('keep_what_was_written_last_where_the_field_was_written_in', async () => {
    const [one, two] = [await tab(), await tab()];
    two.hold('ada,bob');
    one.write('ada,bob', { text: 'from one' });
    one.write('ada,eve', { text: 'seen' });
    await one.save();
    await vi.waitFor(() => expect(two.get('ada,eve')?.text).toBe('seen'));
    two.write('ada,bob', { text: 'from two' });
    two.release('ada,bob');
    expect(two.get('ada,bob')?.text).toBe('from two');
  });
});

describe('what is kept', () => {
  it('is_wiped_with_the_logout_and_nothing_comes_after_it', async () => {
    const drafts = await tab();
    drafts.write('ada,bob', { text: 'secret' });
    await drafts.save();
    drafts.write('ada,eve', { text: 'later' });
    await drafts.clear();
    await drafts.save();
    drafts.write('ada,eve', { text: 'too late' });
    expect(timers).toEqual([]);
    expect(await new Shelf(kept().database, 'drafts').all()).toEqual([]);
    const settings = new Settings(kept());
    settings.set('emoji.tone', 3);
    await settings.clear();
    settings.set('emoji.tone', 4);
    expect(await new Shelf(kept().database, 'settings').all()).toEqual([]);
  });

  it('holds_small_choices_over_a_reload', async () => {
    const before = new Settings(kept());
    before.set('emoji.tone', 3);
    await vi.waitFor(async () => {
      const after = new Settings(kept());
      await after.load();
      expect(after.get('emoji.tone')).toBe(3);
    });
  });

  it('by_an_earlier_page_that_only_knew_the_outbox_stays', async () => {
    const request = factory.open('natter:ada', 1);
    request.onupgradeneeded = () => request.result.createObjectStore('outbox', { keyPath: 'id' });
    const old = await new Promise<IDBDatabase>((resolve) => {
      request.onsuccess = () => resolve(request.result);
    });
    old.onversionchange = () => old.close();
    const entry = { id: 'a', order: 1, owner: 't', composedAt: 1, status: 'queued', kind: 'send' } as const;
    old
      .transaction('outbox', 'readwrite')
      .objectStore('outbox')
      .put({ ...entry, to: { conversation: 'c' }, text: 'hi' });
    expect(await (await openStorage(openDatabase(factory, 'ada'))).all()).toMatchObject([
      { id: 'a', text: 'hi' },
    ]);
    const drafts = await tab();
    drafts.write('ada,bob', { text: 'Hello' });
    await drafts.save();
    expect((await tab()).get('ada,bob')?.text).toBe('Hello');
  });
});
