import { describe, expect, it } from 'vitest';
import type { ClientFrame, OkFrame } from '../../net/frames.ts';
import { MAX_MENTIONS, type Role } from '../../net/wire/generated.ts';
import { said } from '../../store/changes.ts';
import { fold } from '../../store/fold.ts';
import { emptyConversation, initialState, type State } from '../../store/state.ts';
import { emptyTimeline, newestOf, withLive } from '../../store/timeline.ts';
import { type Command, changeOf, commandIn, frameOf, isAbout, type Kind, prepared } from './commands.ts';
import { mentionedIn } from './mentions.ts';

const C = 'conversation';
const to = { conversation: C };
const AT = '2026-05-01T12:00:00.000Z';
const preferences = { muted: false, starred: true, hidden: false, notify: 'mentions' } as const;

/** One of each kind; the compiler asks for those that are missing. */
const EACH: { [K in Kind]: [Extract<Command, { kind: K }>, Omit<ClientFrame, 'ref' | 'id'>] } = {
  send: [
    { kind: 'send', to, text: 'hi', replyTo: 3, thread: 2 },
    { type: 'send', to, text: 'hi', reply_to: 3, thread: 2 } as ClientFrame,
  ],
  edit: [
    { kind: 'edit', to, message: 5, text: 'ho' },
    { type: 'edit', ...to, message: 5, text: 'ho' } as ClientFrame,
  ],
  delete: [{ kind: 'delete', to, message: 5 }, { type: 'delete', ...to, message: 5 } as ClientFrame],
  react: [
    { kind: 'react', to, message: 5, emoji: '👍', op: 'add' },
    { type: 'react', ...to, message: 5, emoji: '👍', op: 'add' } as ClientFrame,
  ],
  pin: [
    { kind: 'pin', to, message: 5, op: 'remove' },
    { type: 'pin', ...to, message: 5, op: 'remove' } as ClientFrame,
  ],
  block: [{ kind: 'block', user: 'bob', blocked: false }, { type: 'unblock', user: 'bob' } as ClientFrame],
  profile: [
    { kind: 'profile', displayName: 'Alice' },
    { type: 'profile', display_name: 'Alice' } as ClientFrame,
  ],
  prefer: [{ kind: 'prefer', to, preferences }, { type: 'prefer', ...to, ...preferences } as ClientFrame],
  create: [
    { kind: 'create', name: 'Lobby', visibility: 'public', topic: 'Hats', members: ['bob'] },
    {
      ...{ type: 'room.create', name: 'Lobby', visibility: 'public', topic: 'Hats', members: ['bob'] },
    } as ClientFrame,
  ],
  join: [{ kind: 'join', to, name: 'Lobby' }, { type: 'room.join', ...to } as ClientFrame],
  leave: [{ kind: 'leave', to, name: 'Lobby' }, { type: 'room.leave', ...to } as ClientFrame],
  update: [
    { kind: 'update', to, changes: { topic: '', archived: false } },
    {
      ...{ type: 'room.update', ...to, name: null, topic: '', visibility: null, archived: false },
    } as ClientFrame,
  ],
  archive: [{ kind: 'archive', to }, { type: 'room.archive', ...to } as ClientFrame],
  add: [{ kind: 'add', to, user: 'bob' }, { type: 'room.add', ...to, user: 'bob' } as ClientFrame],
  remove: [{ kind: 'remove', to, user: 'bob' }, { type: 'room.remove', ...to, user: 'bob' } as ClientFrame],
  ban: [{ kind: 'ban', to, user: 'bob' }, { type: 'room.ban', ...to, user: 'bob' } as ClientFrame],
  unban: [{ kind: 'unban', to, user: 'bob' }, { type: 'room.unban', ...to, user: 'bob' } as ClientFrame],
  role: [
    { kind: 'role', to, user: 'bob', role: 'moderator' },
    { type: 'room.role', ...to, user: 'bob', role: 'moderator' } as ClientFrame,
  ],
};

const known = (): State => {
  const room = {
    name: 'Lobby',
    topic: 'Hats',
    visibility: 'public' as const,
    archived: false,
    owners: ['alice'],
  };
  const message = said({ seq: 5, sender: 'alice', id: 'five', text: 'hi', at: AT });
  const held = { ...emptyConversation(C, []), kind: 'room', room };
  const timelines = new Map([[C, withLive(emptyTimeline(C), message)]]);
  return { ...initialState('alice'), conversations: new Map([[C, held]]), timelines };
};
/** What is known after the `ok` of a command at seq 9. */
function becomes(command: Command, fields: Partial<OkFrame> = {}): State {
  const state = known();
  const ok: OkFrame = { type: 'ok', seq: 9, position: 'p9', at: AT, duplicate: false, ...fields };
  const change = changeOf(command, {
    ...{ id: 'i', seq: 9, position: ok.position, at: AT, ok, me: 'alice', state, now: 0 },
  });
  return change === null ? state : fold(state, change);
}
const room = (state: State) => state.conversations.get(C);
const messagesIn = (state: State) => {
  const timeline = state.timelines.get(C);
  return (timeline && newestOf(timeline)?.messages) ?? [];
};

describe('a message of one’s own', () => {
  const mentioned = (text: string, state: State, people: readonly string[] | null = null) => {
    const { mentions, mentionsRoom } = mentionedIn(text, C, people, state);
    return [...mentions, ...(mentionsRoom ? ['@room'] : [])];
  };
  const roomOf = (role: Role) => {
    const names = new Map(['bob', 'cy-2', 'alice'].map((user) => [user, user]));
    const conversation = { ...emptyConversation(C, []), kind: 'room', role };
    return { ...initialState('alice'), names, conversations: new Map([[C, conversation]]) };
  };

  it('mentions_whom_it_names_of_those_who_see_it_as_the_server_finds_them', () => {
    const text = 'Ask @Bob, (@cy-2-) or @dan, not @alice, a@bob nor bob@example.org; @bob!';
    expect(mentioned(text, initialState('alice'), ['alice', 'bob', 'cy-2'])).toEqual(['bob', 'cy-2']);
    const held = emptyConversation(C, ['alice', 'bob']);
    const direct = { ...initialState('alice'), conversations: new Map([[C, held]]) };
    expect(mentioned(text, direct)).toEqual(['bob']);
    expect(mentioned('@room', direct)).toEqual([]);
    expect(mentioned(text, roomOf('member'))).toEqual(['bob', 'cy-2']);
    const many = Array.from({ length: MAX_MENTIONS + 1 }, (_, n) => `u${n}`);
    expect(mentioned(many.map((user) => `@${user}`).join(' '), known(), many)).toHaveLength(MAX_MENTIONS);
  });

  it('mentions_everybody_only_in_a_room_and_by_who_may', () => {
    expect(mentioned('@room!', roomOf('moderator'))).toEqual(['@room']);
    expect(mentioned('@Room, @rooms', roomOf('moderator'))).toEqual([]);
    expect(mentioned('@room', roomOf('member'))).toEqual([]);
  });

  it('shows_that_as_soon_as_it_is_in_the_log', () => {
    const state = becomes(
      { kind: 'send', to: { participants: ['alice', 'bob'] }, text: 'Dear @bob' },
      { conversation: C },
    );
    expect(messagesIn(state).at(-1)).toMatchObject({ text: 'Dear @bob', mentions: ['bob'] });
  });
});

describe.each(Object.entries(EACH))('the command %s', (_, [command, frame]) => {
  it('goes_out_as_its_frame_and_nothing_else_of_what_waits_does', () => {
    const entry = { ...command, order: 1, owner: 'tab', composedAt: 0, status: 'queued', id: 'i' };
    expect(frameOf(entry as Command, 7, 'i')).toEqual({ ref: 7, id: 'i', ...frame });
  });

  it('comes_back_from_the_disk_as_it_was_and_with_nothing_else', () => {
    const stored = JSON.parse(JSON.stringify({ ...command, evil: true }));
    expect(commandIn(stored)).toEqual(command);
    for (const field of Object.keys(command)) {
      const broken = { ...stored, [field]: 5.5 };
      expect(commandIn(broken), `with another ${field}`).toBeNull();
    }
  });
});

describe('what is stored', () => {
  it('is_nothing_where_it_is_of_a_kind_or_with_a_word_that_this_page_does_not_know', () => {
    expect(commandIn({ kind: 'toString' })).toBeNull();
    expect(commandIn({ kind: 'levitate', to })).toBeNull();
    expect(commandIn({ kind: 'role', to, user: 'bob', role: 'queen' })).toBeNull();
    expect(commandIn({ kind: 'send', to: {}, text: 'hi' })).toBeNull();
    expect(commandIn(null)).toBeNull();
  });
});

describe('what can be said at once', () => {
  it('cmd4_a_name_is_one_line_of_80_characters_and_a_topic_may_have_more', () => {
    const create = (name: string, topic?: string) =>
      prepared({ kind: 'create', name, visibility: 'public', topic });
    expect(create(' ')).toEqual({ fault: 'empty' });
    expect(create('two\nlines')).toEqual({ fault: 'control_character' });
    expect(create('🦊'.repeat(81))).toEqual({ fault: 'too_long' });
    expect(create('🦊'.repeat(80), 'two\nlines')).not.toHaveProperty('fault');
    expect(create('Lobby', 'x'.repeat(501))).toEqual({ fault: 'too_long' });
    const update = (topic: string) => prepared({ kind: 'update', to, changes: { topic } });
    expect(update('')).not.toHaveProperty('fault');
    expect(update('tab\t')).toEqual({ fault: 'control_character' });
    expect(prepared({ kind: 'profile', displayName: 'x'.repeat(65) })).toEqual({ fault: 'too_long' });
    expect(prepared({ kind: 'profile', displayName: '' })).not.toHaveProperty('fault');
  });
});

describe('once it is in the log', () => {
  it('evt2_a_message_in_a_thread_is_counted_there_and_does_not_stand_outside', () => {
    const state = becomes({ kind: 'send', to, text: 'hi', thread: 5 }, { conversation: C });
    expect(messagesIn(state).map(({ seq, replies }) => [seq, replies?.count])).toEqual([[5, 1]]);
    const outside = becomes({ kind: 'send', to, text: 'hi', replyTo: 5 }, { conversation: C });
    expect(messagesIn(outside).at(-1)).toMatchObject({ seq: 9, replyTo: 5 });
  });

  it('evt2_a_pin_is_there', () => {
    const pin: Command = { kind: 'pin', to, message: 5, op: 'add' };
    expect(messagesIn(becomes(pin))[0]?.pinned).toBe(true);
    // CMD2: a repeat has no place in the order.
    expect(messagesIn(becomes(pin, { position: undefined, duplicate: true }))[0]?.pinned).toBe(false);
  });

  it('evt2_a_room_is_as_it_was_asked_for', () => {
    const update: Command = { kind: 'update', to, changes: { name: 'Hall' } };
    expect(room(becomes(update))?.room).toMatchObject({ name: 'Hall', topic: 'Hats', owners: ['alice'] });
    expect(room(becomes({ kind: 'archive', to }))?.room).toMatchObject({ name: 'Lobby', archived: true });
    expect(room(becomes(update))?.notices).toMatchObject([{ what: 'renamed', by: 'alice' }]);
  });

  it('evt2_who_was_added_and_removed_stands_between_the_messages', () => {
    const notices = (command: Command) =>
      room(becomes(command))?.notices.map(({ what, user }) => [what, user]);
    expect(notices({ kind: 'add', to, user: 'bob' })).toEqual([['joined', 'bob']]);
    expect(notices({ kind: 'ban', to, user: 'bob' })).toEqual([['banned', 'bob']]);
    expect(notices({ kind: 'unban', to, user: 'bob' })).toEqual([]);
  });

  it('evt2_preferences_hold_and_a_name_is_ones_own', () => {
    expect(room(becomes({ kind: 'prefer', to, preferences }))?.preferences).toEqual(preferences);
    expect(becomes({ kind: 'profile', displayName: 'Al' }).names.get('alice')).toBe('Al');
    expect(becomes({ kind: 'profile', displayName: '' }).names.get('alice')).toBe('alice');
  });

  it('cmd4_a_room_that_was_made_tells_who_is_not_in_it', () => {
    const create: Command = { kind: 'create', name: 'Lobby', visibility: 'private', members: ['bob', 'cy'] };
    const { entered } = becomes(create, { conversation: 'new', refused: ['cy'] });
    expect(entered).toEqual({ id: 'i', conversation: 'new', refused: ['cy'] });
  });
});

it('is_about_one_thing', () => {
  const topics = (['said', 'message', 'room', 'membership', 'conversation', 'person'] as const).map(
    (topic) => Object.keys(EACH).filter((kind) => isAbout({ kind: kind as Kind }, topic)).length,
  );
  expect(topics.reduce((sum, n) => sum + n)).toBe(Object.keys(EACH).length);
});
