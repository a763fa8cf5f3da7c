import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '../store/snapshot.ts';
import { CONVERSATIONS, framesOf, HistoryAt } from '../testing/world.ts';
import { asWire, Cache } from './cache.ts';
import { openDatabase } from './database.ts';

let user = 0;
let database: Promise<IDBDatabase | null>;

beforeEach(() => {
  user += 1;
  database = openDatabase(indexedDB, `user-${user}`);
});

const said = framesOf(
  [...Array(8).keys()].map((n) => ({
    ...{ what: n % 3 === 2 ? ('react' as const) : ('message' as const), place: n % 4, who: n, pick: n },
    flag: true,
  })),
);
const history = new HistoryAt(said, said.length);
const known: Snapshot = {
  position: 'p8',
  list: { items: history.list(), next: 'cursor', position: 'p8' },
  lines: CONVERSATIONS.map((place) => ({
    ...{ conversation: place.id, messages: history.all(place), older: true, current: place.id !== 'room-2' },
  })),
  blocked: ['eve'],
  people: [{ user: 'bob', displayName: 'Bob' }],
  uncounted: ['room-1'],
};

async function put(entry: object): Promise<void> {
  const store = (await database)?.transaction('cache', 'readwrite').objectStore('cache');
  await new Promise((resolve) => {
    const request = store?.put(entry);
    if (request) request.onsuccess = resolve;
  });
}

describe('con3_what_a_page_knew_when_it_was_left', () => {
  it('is_there_for_the_next_one', async () => {
    new Cache({ database }).save(known);
    expect(await new Cache({ database }).load()).toEqual(known);
  });

  it('is_the_last_word_of_the_last_page', async () => {
    const cache = new Cache({ database });
    cache.save({ ...known, position: 'p7' });
    cache.save(known);
    expect((await cache.load())?.position).toBe('p8');
  });

  it('is_gone_with_the_person_who_logged_out_and_does_not_come_back', async () => {
    const cache = new Cache({ database });
    cache.save(known);
    await cache.clear();
    cache.save(known);
    expect(await cache.load()).toBeNull();
  });

  it.each([
    ['another version of it', { version: 0, snapshot: asWire(known) }],
    ['nothing', { version: 1 }],
    ['words', { version: 1, snapshot: 'all is well' }],
    ['half of it', { version: 1, snapshot: { position: 'p8', list: { items: [] } } }],
    [
      'a row of another shape',
      {
        version: 1,
        snapshot: {
          position: 'p8',
          list: { items: [{ conversation: 7 }], next: null, position: '' },
          lines: [],
          blocked: null,
          people: [],
          uncounted: [],
        },
      },
    ],
  ])('is_let_go_when_it_is_%s', async (_, entry) => {
    await put({ key: 'snapshot', ...entry });
    expect(await new Cache({ database }).load()).toBeNull();
  });

  it('is_nothing_where_nothing_can_be_kept', async () => {
    const cache = new Cache({ database: Promise.resolve(null) });
    cache.save(known);
    expect(await cache.load()).toBeNull();
  });
});
