import { describe, expect, it } from 'vitest';
import { emptyConversation } from '../store/state.ts';
import { hashOf, hashOfKey, keyOfRoute, linkTo, type Route, routeOf } from './route.ts';

const ROOM = '01a0c450-77a4-7000-8000-000000000003';
const CONVERSATION = '01a0c450-77a4-7000-8000-000000000004';
const nobody = { me: 'alice', conversations: new Map(), stale: null };

describe('an address', () => {
  it('says_the_same_both_ways', () => {
    const there = { page: 'conversation', at: null, pane: null } as const;
    const routes: Route[] = [
      { page: 'list' },
      { page: 'rooms', section: null },
      { page: 'settings', section: 'notifications' },
      { ...there, of: { people: ['bob', 'carol-2'] } },
      { ...there, of: { room: ROOM }, at: 12 },
      { ...there, of: { id: CONVERSATION }, at: 12, pane: { name: 'thread', root: 7 } },
      { ...there, of: { room: ROOM }, pane: { name: 'members' } },
      { ...there, of: { room: ROOM }, pane: { name: 'person', handle: 'bob' } },
    ];
    for (const route of routes) expect(routeOf(hashOf(route))).toEqual(route);
  });

  it('that_is_none_of_ours_leads_to_the_list', () => {
    const bad = [
      '',
      '#',
      '#/@',
      '#/@b',
      '#/@Bob',
      '#/@bob,',
      '#/@bob/../x',
      `#/@${'b'.repeat(33)}`,
      '#/admin',
    ];
    const rooms = ['#/room/', '#/room/lobby', `#/room/${ROOM}/x`, `#/room/${ROOM.toUpperCase()}`];
    const inside = [
      `#/room/${ROOM}/thread/`,
      `#/room/${ROOM}/-1`,
      `#/room/${ROOM}/pins/pins`,
      `#/c/${ROOM}/1/2`,
    ];
    for (const hash of [...bad, ...rooms, ...inside]) expect(routeOf(hash), hash).toEqual({ page: 'list' });
  });

  it('of_a_conversation_has_its_key', () => {
    for (const key of [`room:${ROOM}`, 'alice', 'alice,bob,carol'])
      expect(keyOfRoute(routeOf(hashOfKey(key, 'alice')), nobody)).toBe(key);
    expect(keyOfRoute(routeOf('#/'), nobody)).toBeNull();
  });

  it('by_id_has_a_key_once_it_is_known_whose_it_is', () => {
    const route = routeOf(linkTo(CONVERSATION, 3));
    expect(route).toMatchObject({ of: { id: CONVERSATION }, at: 3 });
    expect(keyOfRoute(route, nobody)).toBeUndefined();
    const held = emptyConversation(CONVERSATION, ['alice', 'bob']);
    expect(
      keyOfRoute(route, { me: 'alice', conversations: new Map([[CONVERSATION, held]]), stale: null }),
    ).toBe('alice,bob');
  });
});
