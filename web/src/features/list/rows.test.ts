import { describe, expect, it } from 'vitest';
import type { Entry } from '../../outbox/queue.ts';
import { emptyConversation } from '../../store/state.ts';
import { rowsOf } from './rows.ts';

const NOW = Date.parse('2026-05-06T12:00:00Z');

describe('rooms', () => {
  it('stand_in_the_list_once_they_are_known', () => {
    const facts = {
      ...{ name: 'Lobby', topic: '', visibility: 'public' as const, archived: false, owners: ['bob'] },
    };
    const room = { ...emptyConversation('r', []), kind: 'room', room: facts, lastActivity: '2' };
    const unknown = { ...emptyConversation('u', []), lastActivity: '3' };
    const direct = { ...emptyConversation('c', ['alice', 'bob']), lastActivity: '1' };
    const conversations = new Map([room, unknown, direct].map((one) => [one.id, one]));
    const keys = (...entries: Entry[]) => rowsOf(conversations, entries, 'alice').map(({ key }) => key);
    expect(keys()).toEqual(['room:r', 'alice,bob']);
    const waiting = (conversation: string): Entry => ({
      ...{ id: conversation, order: 1, owner: 't', composedAt: NOW, status: 'queued' },
      ...{ kind: 'send', to: { conversation }, text: 'w' },
    });
    expect(keys(waiting('c'), waiting('u'), waiting('gone'))).toEqual(['alice,bob', 'room:r']);
  });

  it('are_called_what_somebody_has_just_called_them_unless_that_was_refused', () => {
    const room = {
      ...{ name: 'Lobby', topic: '', visibility: 'public' as const, archived: false, owners: ['alice'] },
    };
    const conversations = new Map([['r', { ...emptyConversation('r', []), kind: 'room', room }]]);
    const rename = (name: string, status: Entry['status']): Entry => ({
      ...{ id: name, order: 1, owner: 't', composedAt: NOW, status },
      ...{ kind: 'update', to: { conversation: 'r' }, changes: { name } },
    });
    const names = (...entries: Entry[]) =>
      rowsOf(conversations, entries, 'alice').map(({ conversation }) => conversation?.room?.name);
    expect(names(rename('Hall', 'queued'), rename('Attic', 'failed'))).toEqual(['Hall']);
    expect(names()).toEqual(['Lobby']);
  });
});
