import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Cache } from '../outbox/cache.ts';
import { openDatabase } from '../outbox/database.ts';
import { Store } from '../store/store.ts';
import { ManualClock } from '../testing/clock.ts';
import { CONVERSATIONS, framesOf, HistoryAt, ME } from '../testing/world.ts';
import { Keeper } from './keeper.ts';

const FRAMES = framesOf(
  [...Array(3).keys()].map((who) => ({ what: 'message' as const, place: 0, who, pick: 1, flag: false })),
);

let user = 0;
let clock: ManualClock;
let cache: Cache;
let store: Store;
let position: string | null;
let keeper: Keeper;

beforeEach(() => {
  user += 1;
  clock = new ManualClock();
  cache = new Cache({ database: openDatabase(indexedDB, `keeper-${user}`) });
  store = new Store(ME, (fire) => fire());
  position = 'p2';
  keeper = new Keeper({ environment: clock, store, cache, position: () => position });
  keeper.begin();
});

function readsList(): void {
  const items = new HistoryAt(FRAMES, 2).list();
  const { generation } = store.state;
  store.apply({ type: 'list_page', generation, page: { items, next: null, position: 'p2' } });
}

function hears(n: number): void {
  const frame = FRAMES[n - 1];
  if (frame === undefined) throw new Error(`no frame ${n}`);
  store.apply({ type: 'frame', frame, now: 0 });
  position = `p${n}`;
}

const never = () => expect.unreachable();
const kept = async () => {
  const known = await keeper.load(never);
  return known && [known.position, known.list.items.map(({ lastMessage }) => lastMessage?.seq ?? null)];
};

describe('what_a_page_knows', () => {
  it('con3_is_kept_with_its_position_when_the_page_is_left', async () => {
    readsList();
    keeper.keep();
    expect(await kept()).toEqual(['p2', [2, null, null]]);
    hears(3);
    keeper.keep();
    expect(await kept()).toEqual(['p3', [3, null, null]]);
  });

  it('con3_is_kept_every_half_a_minute_for_a_page_that_is_killed', async () => {
    readsList();
    clock.advance(29_999);
    expect(await kept()).toBeNull();
    clock.advance(1);
    expect(await kept()).toEqual(['p2', [2, null, null]]);
    hears(3);
    clock.advance(30_000);
    expect(await kept()).toEqual(['p3', [3, null, null]]);
  });

  it('is_not_kept_before_the_list_is_read_nor_without_a_position', async () => {
    keeper.keep();
    expect(await kept()).toBeNull();
    readsList();
    position = null;
    keeper.keep();
    expect(await kept()).toBeNull();
  });

  it('is_not_kept_while_a_conversation_is_not_explained', async () => {
    const [frame] = FRAMES;
    if (frame?.type !== 'message') throw new Error('not a message');
    const said = { ...frame, seq: 9, participants: undefined };
    // A resume can bring what was said in a room of which only history can say what it is.
    for (const conversation of ['room-1', 'a room'])
      store.apply({ type: 'frame', now: 0, frame: { ...said, conversation } });
    readsList();
    keeper.keep();
    expect(await kept()).toBeNull();
    const [, , room] = CONVERSATIONS;
    const item = { ...new HistoryAt(FRAMES, 2).row(room), conversation: 'a room' };
    store.apply({ type: 'row', generation: store.state.generation, item });
    keeper.keep();
    expect(await kept()).toEqual(['p2', [9, 9, 2, null]]);
  });

  it('is_gone_when_the_session_ended_and_is_kept_no_more', async () => {
    readsList();
    keeper.keep();
    await keeper.clear();
    hears(3);
    keeper.keep();
    clock.advance(60_000);
    expect(await kept()).toBeNull();
  });

  it('is_not_waited_for_when_the_disk_takes_long_and_told_when_it_comes', async () => {
    readsList();
    keeper.keep();
    let answers = (_: IDBDatabase | null) => {};
    const slow = new Cache({ database: new Promise((resolve) => (answers = resolve)) });
    const other = new Keeper({ environment: clock, store, cache: slow, position: () => position });
    const late = vi.fn();
    const loading = other.load(late);
    clock.advance(1_000);
    expect(await loading).toBeNull();
    expect(late).not.toHaveBeenCalled();
    answers(await openDatabase(indexedDB, `keeper-${user}`));
    await vi.waitFor(() => expect(late).toHaveBeenCalledOnce());
    expect(late.mock.lastCall?.[0]).toMatchObject({ position });
  });
});
