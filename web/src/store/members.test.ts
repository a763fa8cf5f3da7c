import { describe, expect, it } from 'vitest';
import { decodeFrames, type MemberItem, type Page, type Role } from '../net/frames.ts';
import { type Change, fold } from './fold.ts';
import { MAX_MEMBERS_HELD } from './members.ts';
import { initialState, type State } from './state.ts';

const R = 'room-1';

const frame = (seq: number, user: string, change: string, role?: Role): Change => {
  const at = '2026-05-01T12:00:00.000Z';
  const of = { type: 'member', seq, position: `p${seq}`, conversation: R, user, change, role, by: 'ada', at };
  const [decoded] = decodeFrames(JSON.stringify(of));
  if (decoded === undefined) throw new Error('no frame');
  return { type: 'frame', frame: decoded, now: 0 };
};
const page = (role: Role | null, next: string | null, ...users: string[]): Page<MemberItem> => ({
  items: users.map((user) => ({ user, displayName: user, role })),
  next,
  position: 'p',
});
const opened: Change = { type: 'members_opened', conversation: R };
const read = (
  owners: string[],
  moderators: string[],
  members: string[],
  next: string | null = null,
): Change => ({
  ...{ type: 'members_read', generation: 0, conversation: R },
  pages: {
    owner: page('owner', null, ...owners),
    moderator: page('moderator', null, ...moderators),
    member: page('member', next, ...members),
  },
});
const later = (...users: string[]): Change => ({
  ...{ type: 'members_page', generation: 0, conversation: R, role: 'member' },
  page: page('member', null, ...users),
});
const bans = (first: boolean, ...users: string[]): Change => ({
  ...{ type: 'bans_page', generation: 0, conversation: R, first },
  page: { items: users.map((user) => ({ user, displayName: user })), next: null, position: 'p' },
});
const folded = (...changes: Change[]): State => changes.reduce(fold, initialState('alice'));
const people = (state: State) => Object.fromEntries(state.members?.people ?? []);
const banned = (state: State) => [...(state.members?.banned ?? [])];

describe('the people of a room', () => {
  it('are_there_by_role_once_their_pages_are_read', () => {
    const state = folded(opened, read(['ada'], ['mia'], ['bob', 'alice'], 'more'));
    expect(people(state)).toEqual({ ada: 'owner', mia: 'moderator', bob: 'member', alice: 'member' });
    expect(state.members?.next).toEqual({ owner: null, moderator: null, member: 'more' });
    expect(people(fold(state, later('carol')))).toMatchObject({ bob: 'member', carol: 'member' });
  });

  it('evt1_come_go_and_change_as_frames_tell', () => {
    const state = folded(
      ...[opened, read(['ada'], [], ['bob', 'carol', 'dan'])],
      ...[frame(1, 'eve', 'joined', 'member'), frame(2, 'bob', 'role', 'moderator')],
      ...[frame(3, 'carol', 'left'), frame(4, 'dan', 'banned'), frame(5, 'stranger', 'banned')],
    );
    expect(people(state)).toEqual({ ada: 'owner', bob: 'moderator', eve: 'member' });
  });

  it('con5_are_as_frames_told_whether_a_page_had_it_or_not', () => {
    const told = [
      frame(1, 'bob', 'role', 'moderator'),
      frame(2, 'carol', 'removed'),
      frame(3, 'eve', 'joined'),
    ];
    const before = folded(opened, read(['ada'], [], ['bob']), ...told, later('carol'));
    const after = folded(opened, ...told, read(['ada'], [], ['bob', 'carol']));
    expect(people(before)).toEqual({ ada: 'owner', bob: 'moderator', eve: 'member' });
    expect(people(after)).toEqual(people(before));
  });

  it('of_another_room_or_of_before_a_reset_change_nothing', () => {
    const state = folded(opened, read(['ada'], [], ['bob']));
    expect(fold(state, { ...later('eve'), conversation: 'room-2' } as Change)).toBe(state);
    const reset: Change = {
      ...{ type: 'frame', now: 0 },
      frame: { type: 'reset', reason: 'too_old', position: 'p9' },
    };
    const anew = fold(state, reset);
    expect(people(anew)).toEqual(people(state));
    expect(people(fold(anew, later('eve')))).toEqual(people(state));
  });

  it('are_replaced_when_they_are_read_anew_and_gone_when_the_pane_is', () => {
    const state = folded(opened, read(['ada'], [], ['bob']), opened);
    expect(people(state)).toEqual({ ada: 'owner', bob: 'member' });
    expect(people(fold(state, read(['ada'], [], ['carol'])))).toEqual({ ada: 'owner', carol: 'member' });
    expect(fold(state, { type: 'members_closed' }).members).toBeNull();
  });

  it('are_held_up_to_a_bound', () => {
    const many = Array.from({ length: MAX_MEMBERS_HELD + 5 }, (_, n) => `user-${n}`);
    expect(folded(opened, later(...many)).members?.people.size).toBe(MAX_MEMBERS_HELD);
  });

  it('who_are_banned_are_known_to_those_who_asked_and_stay_true', () => {
    const open = folded(opened, read(['ada'], [], ['bob']), frame(1, 'bob', 'banned'));
    expect(open.members?.banned).toBeNull();
    const state = fold(open, bans(true, 'zoe'));
    expect(banned(state)).toEqual(['zoe', 'bob']);
    expect(banned(fold(state, frame(2, 'zoe', 'unbanned')))).toEqual(['bob']);
    expect(banned(folded(opened, frame(1, 'zoe', 'unbanned'), bans(true, 'zoe', 'yan')))).toEqual(['yan']);
  });
});

describe('how many are in a room', () => {
  const item = (members: number): Change => ({
    ...{ type: 'row', generation: 0 },
    item: {
      ...{ conversation: R, kind: 'room', participants: [], lastMessage: null, lastActivity: '' },
      ...{ unread: 0, mentions: 0, read: 0, markers: [] },
      preferences: { muted: false, starred: false, hidden: false, notify: 'all' },
      room: {
        ...{ conversation: R, name: 'Lobby', topic: '', visibility: 'public', archived: false },
        ...{ owners: ['ada'], members, role: 'member' },
      },
    },
  });
  it('is_asked_again_after_somebody_came_or_went', () => {
    const state = folded(item(2));
    expect(state.conversations.get(R)?.memberCount).toBe(2);
    expect([...fold(state, frame(1, 'bob', 'role', 'owner')).uncounted]).toEqual([]);
    expect([...fold(state, frame(1, 'alice', 'removed')).uncounted]).toEqual([]);
    const came = fold(state, frame(1, 'bob', 'joined'));
    expect([...came.uncounted]).toEqual([R]);
    const counted = [{ type: 'counting', conversation: R } as const, item(3)].reduce(fold, came);
    expect([...counted.uncounted]).toEqual([]);
    expect(counted.conversations.get(R)?.memberCount).toBe(3);
  });
});
