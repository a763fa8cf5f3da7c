import { describe, expect, it } from 'vitest';
import { NO_PREFERENCES, type Preferences } from '../../net/frames.ts';
import type { Entry } from '../../outbox/queue.ts';
import { emptyConversation } from '../../store/state.ts';
import { foundRows, handleIn } from './finding.ts';
import { type Row, rowsOf } from './rows.ts';
import { neighbour, openedOf, rowsShown, sectionsOf, unreadNeighbour } from './sections.ts';

const ME = 'alice';

function direct(other: string, lastActivity: string, preferences: Partial<Preferences> = {}, unread = 0) {
  const counted = { lastSeq: unread, read: 0, unread, mentions: 0, inThreads: 0 };
  return {
    ...emptyConversation(other, [ME, other]),
    ...{ lastActivity, preferences: { ...NO_PREFERENCES, ...preferences }, tally: { counted, others: [] } },
  };
}

function room(id: string, name: string, lastActivity: string) {
  const facts = { name, topic: '', visibility: 'public' as const, archived: false, owners: [] };
  return { ...emptyConversation(id, []), kind: 'room', room: facts, lastActivity };
}

type Held = ReturnType<typeof direct> | ReturnType<typeof room>;
const rowsFor = (held: Held[], entries: Entry[] = []): Row[] =>
  rowsOf(new Map(held.map((one) => [one.id, one])), entries, ME);

function sections(held: Held[], entries: Entry[] = []) {
  return sectionsOf(rowsFor(held, entries), ME).map(
    ({ name, rows, unread }) => `${name} ${unread}: ${rows.map(({ key }) => key).join(' ')}`,
  );
}

describe('the sections of the list', () => {
  const held = [
    room('r', 'Lobby', '9'),
    direct('bob', '5', {}, 2),
    direct('cy', '7', { muted: true }, 3),
    direct('dan', '1', { starred: true }),
    direct('eve', '8', { hidden: true }),
  ];

  it('are_of_what_is_starred_of_rooms_of_people_and_of_what_is_hidden_each_by_activity', () => {
    expect(sections(held)).toEqual([
      'starred 0: alice,dan',
      'rooms 0: room:r',
      'people 2: alice,cy alice,bob',
      'hidden 0: alice,eve',
    ]);
  });

  it('have_what_is_hidden_back_in_its_place_while_something_is_new', () => {
    expect(sections([direct('eve', '1', { hidden: true, starred: true }, 1)])).toEqual([
      'starred 1: alice,eve',
    ]);
  });

  it('show_what_one_asked_for_before_it_is_in_the_log_but_not_what_was_refused', () => {
    const asked = (status: 'queued' | 'failed'): Entry => ({
      ...{
        id: 'p',
        order: 1,
        owner: 't',
        composedAt: 0,
        kind: 'prefer',
        to: { conversation: 'bob' },
        status,
      },
      preferences: { starred: true, muted: false, hidden: false, notify: 'all' },
    });
    const bob = [direct('bob', '1')];
    expect(sections(bob, [asked('queued')])).toEqual(['starred 0: alice,bob']);
    expect(sections(bob, [asked('failed')])).toEqual(['people 0: alice,bob']);
  });

  it('are_open_as_the_device_kept_it_whatever_that_is', () => {
    const usual = { starred: true, rooms: true, people: true, hidden: false };
    for (const kept of [undefined, null, 7, 'x', [], { people: 'no', other: true }])
      expect(openedOf(kept)).toEqual(usual);
    const opened = openedOf({ people: false, hidden: true });
    expect(opened).toEqual({ ...usual, people: false, hidden: true });
    expect(rowsShown(sectionsOf(rowsFor(held), ME), opened).map(({ key }) => key)).toEqual([
      ...['alice,dan', 'room:r', 'alice,eve'],
    ]);
  });

  it('lead_from_row_to_row_and_from_news_to_news', () => {
    const rows = rowsShown(sectionsOf(rowsFor(held), ME), openedOf({}));
    const keys = rows.map(({ key }) => key);
    expect(keys.map((key) => neighbour(rows, key, 1)?.key)).toEqual([...keys.slice(1), keys[0]]);
    expect(neighbour(rows, null, -1)?.key).toBe('alice,bob');
    // Cy is muted, so only Bob has something new.
    expect(unreadNeighbour(rows, 'room:r', 1, ME)?.key).toBe('alice,bob');
    expect(unreadNeighbour(rows, 'alice,cy', -1, ME)?.key).toBe('alice,bob');
    expect(unreadNeighbour(rows, 'alice,bob', 1, ME)).toBeUndefined();
    expect(unreadNeighbour([], null, 1, ME)).toBeUndefined();
  });
});

describe('a search in the list', () => {
  const names: Record<string, string> = { bob: 'René Descartes', cy: 'Cy Twombly', dan: 'Bobby' };
  const found = (query: string) =>
    foundRows(
      rowsFor([direct('bob', '1'), direct('cy', '2'), direct('dan', '3'), room('r', 'Große Halle', '4')]),
      query,
      ({ conversation, others }) => ({
        title: conversation?.room?.name ?? others.map((user) => names[user] ?? user).join(', '),
        handles: others,
      }),
    ).map(({ key }) => key);

  it('finds_names_handles_and_rooms_without_accents_the_best_first', () => {
    expect(found('rene')).toEqual(['alice,bob']);
    expect(found('GROSSE')).toEqual(['room:r']);
    expect(found('halle')).toEqual(['room:r']);
    expect(found('desc ren')).toEqual(['alice,bob']);
    // A name that begins so comes before a handle.
    expect(found('bob')).toEqual(['alice,dan', 'alice,bob']);
    expect(found('womb')).toEqual(['alice,cy']);
    expect(found('@dan')).toEqual(['alice,dan']);
    expect(found('nobody')).toEqual([]);
    expect(found('')).toHaveLength(4);
  });

  it('asks_for_people_only_by_what_a_handle_can_begin_with', () => {
    expect(['@Bob', 'René', 'b-1'].map(handleIn)).toEqual(['bob', 'rene', 'b-1']);
    expect(['', '@', 'two words', 'боб'].map(handleIn)).toEqual([null, null, null, null]);
  });
});
