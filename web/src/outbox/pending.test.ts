import { expect, it } from 'vitest';
import type { Command } from './commands/commands.ts';
import {
  isMembership,
  pendingName,
  pendingPreferences,
  withPendingMembers,
  withPendingRoom,
} from './pending.ts';
import type { Entry } from './queue.ts';

const to = { conversation: 'c' };
const waiting = (command: Command, status: 'queued' | 'failed' = 'queued'): Entry => ({
  ...{ id: 'i', order: 1, owner: 't', composedAt: 0, status },
  ...command,
});

it('a_room_is_shown_as_it_will_be_and_what_was_refused_did_not_happen', () => {
  const facts = { name: 'Lobby', topic: 'Hats', visibility: 'public' as const, archived: false, owners: [] };
  const entries = [
    waiting({ kind: 'update', to, changes: { name: 'Hall', topic: '' } }),
    waiting({ kind: 'update', to, changes: { name: 'Salon' } }, 'failed'),
    waiting({ kind: 'update', to: { conversation: 'other' }, changes: { name: 'Attic' } }),
    waiting({ kind: 'archive', to }),
  ];
  expect(withPendingRoom(facts, entries, 'c')).toEqual({ ...facts, name: 'Hall', topic: '', archived: true });
});

it('who_is_in_a_room_is_shown_as_it_will_be', () => {
  const members = new Map(['bob', 'cy', 'di'].map((user) => [user, 'member' as const]));
  const entries = [
    waiting({ kind: 'add', to, user: 'eve' }),
    waiting({ kind: 'add', to, user: 'bob' }),
    waiting({ kind: 'remove', to, user: 'cy' }),
    waiting({ kind: 'role', to, user: 'di', role: 'owner' }),
    waiting({ kind: 'ban', to, user: 'bob' }, 'failed'),
  ].filter(isMembership);
  const shown = [...withPendingMembers(members, entries)].map(([user, role]) => `${user} ${role}`);
  expect(shown).toEqual(['bob member', 'di owner', 'eve member']);
});

it('the_last_wish_counts', () => {
  const preferences = { muted: true, starred: false, hidden: false, notify: 'all' as const };
  const entries = [
    waiting({ kind: 'prefer', to, preferences: { ...preferences, starred: true } }),
    waiting({ kind: 'prefer', to, preferences }),
    waiting({ kind: 'profile', displayName: 'Al' }),
    waiting({ kind: 'profile', displayName: 'No' }, 'failed'),
  ];
  expect(pendingPreferences(entries, 'c')).toEqual(preferences);
  expect(pendingPreferences(entries, 'other')).toBeUndefined();
  expect(pendingName(entries)).toBe('Al');
});
