import { describe, expect, it } from 'vitest';
import type { Command } from '../../outbox/commands/commands.ts';
import { isJoining, isOfList, isPreferenceOf, isWithin, type OfRooms } from './faultPlaces.ts';

const waiting = { id: 'id', order: 1, owner: 'tab', composedAt: 0, status: 'failed' } as const;
const entry = (command: Command) => ({ ...waiting, ...command }) as OfRooms;
const to = { conversation: 'here' };
const preferences = { starred: false, muted: true, hidden: false, notify: 'all' } as const;

/** How often it is said, where this conversation is open. */
const timesSaid = (refused: OfRooms, open: string | undefined, outside?: string) =>
  [
    isOfList(refused, 'conversation', open, outside),
    isJoining(refused, outside),
    isPreferenceOf(refused, open),
    isWithin(refused, open ?? null),
  ].filter((said) => said).length;

describe('what was refused', () => {
  it('of_how_a_conversation_is_treated_is_said_once_in_it_where_it_is_open_and_above_the_list_elsewhere', () => {
    const refused = entry({ kind: 'prefer', to, preferences });
    for (const open of ['here', 'elsewhere', undefined]) expect(timesSaid(refused, open)).toBe(1);
    expect(isPreferenceOf(refused, 'here')).toBe(true);
    expect(isOfList(refused, 'conversation', 'elsewhere', undefined)).toBe(true);
  });

  it('of_a_room_is_said_once_where_one_is', () => {
    const archive = entry({ kind: 'archive', to });
    expect(timesSaid(archive, 'here')).toBe(1);
    expect(timesSaid(archive, 'elsewhere')).toBe(0);
    const join = entry({ kind: 'join', to, name: 'Lobby' });
    expect(timesSaid(join, 'here')).toBe(1);
    expect(timesSaid(join, undefined, 'here')).toBe(1);
    expect(isOfList(join, 'rooms', undefined, undefined)).toBe(false);
  });
});
