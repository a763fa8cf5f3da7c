import { describe, expect, it } from 'vitest';
import { Malformed } from '../read.ts';
import { messageItem, pinItem } from './messages.ts';
import { pageOf } from './pages.ts';
import { memberItem, userItem } from './people.ts';
import { conversationItem, roomItem } from './rooms.ts';

const MESSAGE = { seq: 5, conversation: 'c', sender: 'bob', id: 'i', text: 'hi', at: 't' };
const ROOM = { conversation: 'c', name: 'Lobby', visibility: 'public', archived: false, owners: ['bob'] };

describe('items of history', () => {
  it('hst3_a_conversation_has_a_room_and_preferences_where_there_are_any', () => {
    const direct = {
      ...{ conversation: 'c', kind: 'direct', participants: ['alice'], last_message: null },
      ...{ last_activity: 't', unread: 0, mentions: 0, read: 0, markers: [] },
    };
    const none = { muted: false, starred: false, hidden: false, notify: 'all' };
    expect(conversationItem(direct, 'item')).toMatchObject({ room: null, preferences: none });
    const preferences = { muted: true, starred: true, hidden: true, notify: 'nothing' };
    const room = { ...ROOM, members: 3, role: 'owner' };
    expect(conversationItem({ ...direct, kind: 'room', room, preferences }, 'item')).toMatchObject({
      ...{ room: { name: 'Lobby', owners: ['bob'], members: 3, role: 'owner' }, preferences },
    });
    expect(roomItem(ROOM, 'item')).toMatchObject({ topic: '', members: 0, role: null });
  });

  it('hst3_a_message_tells_of_its_thread_how_much_of_it_is_unread', () => {
    const replies = { count: 3, last_at: 't', unread: 2 };
    expect(messageItem({ ...MESSAGE, replies }, 'item')).toMatchObject({
      ...{ replies: { count: 3, lastAt: 't', unread: 2 }, deleted: false, reactions: [], editedAt: null },
    });
    expect(messageItem(MESSAGE, 'item').replies).toBeNull();
  });

  it('hst1_a_page_is_items_with_a_next_and_a_position', () => {
    const page = pageOf(pinItem)(
      { items: [{ message: MESSAGE, by: 'cy', at: 't' }], next: 'n', position: 'p' },
      '',
    );
    expect(page).toMatchObject({ items: [{ by: 'cy', message: { seq: 5 } }], next: 'n', position: 'p' });
    expect(() => pageOf(pinItem)({ items: {}, next: null, position: 'p' }, '')).toThrow(Malformed);
  });

  it('hst3_people_are_shown_by_their_handles_where_they_chose_no_name', () => {
    expect(userItem({ user: 'bob', display_name: '' }, 'item')).toEqual({ user: 'bob', displayName: 'bob' });
    const member = { user: 'bob', display_name: 'Bob', role: 'moderator' };
    expect(memberItem(member, 'item')).toEqual({ user: 'bob', displayName: 'Bob', role: 'moderator' });
  });
});
