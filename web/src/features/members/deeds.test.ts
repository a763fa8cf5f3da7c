import { describe, expect, it } from 'vitest';
import type { Role } from '../../net/frames.ts';
import { deedsOn } from './deeds.ts';

const names = (mine: Role | null, theirs: Role, rest: { isMe?: boolean; owners?: number } = {}) =>
  deedsOn({ mine, theirs, isMe: false, owners: 2, ...rest }).map((deed) =>
    deed.what === 'make' ? deed.role : deed.what,
  );

describe('who may do what with the people of a room', () => {
  it('members_and_those_outside_nothing', () => {
    expect(names('member', 'member')).toEqual([]);
    expect(names(null, 'member')).toEqual([]);
  });
  it('moderators_remove_and_ban_members_only', () => {
    expect(names('moderator', 'member')).toEqual(['remove', 'ban']);
    expect(names('moderator', 'moderator')).toEqual([]);
    expect(names('moderator', 'owner')).toEqual([]);
  });
  it('owners_everything_and_with_everybody', () => {
    expect(names('owner', 'member')).toEqual(['owner', 'moderator', 'remove', 'ban']);
    expect(names('owner', 'moderator')).toEqual(['owner', 'member', 'remove', 'ban']);
    expect(names('owner', 'owner')).toEqual(['moderator', 'member', 'remove', 'ban']);
  });
  it('nobody_removes_themselves_and_the_last_owner_stays_one', () => {
    expect(names('owner', 'owner', { isMe: true })).toEqual(['moderator', 'member']);
    expect(names('owner', 'owner', { isMe: true, owners: 1 })).toEqual([]);
  });
});
