import { describe, expect, it } from 'vitest';
import { type Connection, initialConnection, type Phase } from '../net/connection/state.ts';
import { type Command, type ConversationEntry, type Entry, emptyQueue } from '../outbox/queue.ts';
import { said } from '../store/changes.ts';
import { emptyConversation, withMessages } from '../store/conversation.ts';
import type { Notice } from '../store/rooms.ts';
import { bannerOf } from './banner.ts';
import { oneEmoji, QUICK } from './emoji.ts';
import {
  type Calendar,
  dayName,
  goneText,
  lastSeen,
  namesOf,
  noticeText,
  refusalText,
  shortTime,
  titleOf,
  typingText,
  waitingText,
} from './format.ts';
import { hashOfKey, hashOfPeople, keyOfHash, peopleOfHash } from './hooks.ts';
import { rowsOf } from './rows.ts';
import { entriesOf, linesOf } from './timeline.ts';

const NOW = Date.parse('2026-05-06T12:00:00Z');
const calendar: Calendar = { locale: 'en-GB', timeZone: 'UTC' };
const nothing = { messages: 0, changes: 0, durable: true, pausedUntil: 0 };
const two = { ...nothing, messages: 2 };
const inPhase = (phase: Phase, attempt = 1): Connection => ({ ...initialConnection, phase, attempt });

describe('a refusal', () => {
  it('cmd7_of_a_block_does_not_say_who_blocked_whom', () => {
    const fault = { code: 'blocked', message: 'whatever the server calls it' };
    expect(refusalText(fault)).toBe('One of you has blocked the other.');
  });

  it('of_a_room_says_what_is_so', () => {
    expect(refusalText({ code: 'not_member', message: 'no' })).toBe('You are not in this room.');
    expect(refusalText({ code: 'archived', message: 'no' })).toBe('This room is archived.');
  });

  it('of_another_kind_is_told_in_the_words_of_the_server', () => {
    expect(refusalText({ code: 'full', message: 'as many as there may be' })).toBe('as many as there may be');
    expect(refusalText(undefined)).toBe('the server refused it.');
  });
});

describe('the banner says the truth', () => {
  const live = inPhase({ name: 'live', heartbeatMs: 25_000, since: NOW, lastPingAt: NOW });

  it('nothing_while_all_is_well', () => {
    expect(bannerOf(live, nothing, NOW)).toBeNull();
    expect(bannerOf(live, two, NOW)).toBeNull();
  });

  it('how_many_wait_and_where_they_are_kept', () => {
    const offline = inPhase({ name: 'offline', retryAt: null });
    expect(bannerOf(offline, two, NOW)?.text).toBe(
      'You’re offline. 2 messages waiting, kept on this device.',
    );
    expect(bannerOf(offline, { ...two, messages: 1, durable: false }, NOW)?.text).toBe(
      'You’re offline. 1 message waiting, keep this page open.',
    );
  });

  it('that_edits_deletions_and_reactions_wait_too', () => {
    const offline = inPhase({ name: 'offline', retryAt: null });
    const mixed = { ...nothing, messages: 2, changes: 1 };
    expect(bannerOf(offline, mixed, NOW)?.text).toBe(
      'You’re offline. 2 messages and 1 change waiting, kept on this device.',
    );
    expect(waitingText({ messages: 0, changes: 3 })).toBe('3 changes');
    expect(waitingText({ messages: 0, changes: 0 })).toBe('');
    const slow = { ...nothing, changes: 2, pausedUntil: NOW + 1 };
    expect(bannerOf(live, slow, NOW)?.text).toBe('Sending slowly: 2 changes in line.');
  });

  it('hrt5_when_it_tries_again_with_a_way_to_do_it_now', () => {
    const waiting = inPhase({ name: 'waiting', retryAt: NOW + 2_400 });
    expect(bannerOf(waiting, nothing, NOW)).toEqual({
      tone: 'waiting',
      text: 'Reconnecting in 3 s…',
      action: 'try_now',
    });
    expect(bannerOf(inPhase({ name: 'waiting', retryAt: NOW + 30_000 }, 11), nothing, NOW)?.text).toBe(
      'Natter can’t be reached. Next attempt in 30 s.',
    );
  });

  it('that_the_server_slows_it_down', () => {
    expect(bannerOf(live, { ...two, pausedUntil: NOW + 1 }, NOW)?.text).toBe(
      'Sending slowly: 2 messages in line.',
    );
  });

  it('why_it_ended_and_what_helps', () => {
    const old = inPhase({
      name: 'failed',
      code: 4505,
      reason: 'This page is older than the server. Reload it.',
    });
    expect(bannerOf(old, nothing, NOW)?.action).toBe('reload');
    const many = inPhase({ name: 'failed', code: 4504, reason: 'Too many.' });
    expect(bannerOf(many, nothing, NOW)?.action).toBe('try_now');
  });
});

describe('words', () => {
  it('days_and_times', () => {
    expect(dayName('2026-05-06T00:00:00Z', NOW, calendar)).toBe('Today');
    expect(dayName('2026-05-05T23:59:00Z', NOW, calendar)).toBe('Yesterday');
    expect(dayName('2026-05-01T10:00:00Z', NOW, calendar)).toBe('Friday 1 May');
    expect(dayName('2025-05-01T10:00:00Z', NOW, calendar)).toContain('2025');
    expect(shortTime('2026-05-06T09:05:00Z', NOW, calendar)).toBe('09:05');
    expect(shortTime('2026-05-03T09:05:00Z', NOW, calendar)).toBe('Sun');
    expect(shortTime('2026-01-03T09:05:00Z', NOW, calendar)).toBe('3 Jan');
    expect(shortTime('no time', NOW, calendar)).toBe('');
  });

  it('last_seen', () => {
    expect(lastSeen('2026-05-06T11:59:30Z', NOW, calendar)).toBe('Last seen just now');
    expect(lastSeen('2026-05-06T11:15:00Z', NOW, calendar)).toBe('Last seen 45 min ago');
    expect(lastSeen('2026-05-06T09:00:00Z', NOW, calendar)).toBe('Last seen 3 h ago');
    expect(lastSeen('?', NOW, calendar)).toBe('Offline');
  });

  it('people', () => {
    const names = new Map([['bob', 'Bob B.']]);
    expect(titleOf([], names)).toBe('Notes to yourself');
    expect(titleOf(['bob', 'carol'], names)).toBe('Bob B., carol');
    expect(typingText([], names)).toBe('');
    expect(typingText(['bob'], names)).toBe('Bob B. is typing…');
    expect(typingText(['bob', 'carol'], names)).toBe('Bob B. and carol are typing…');
    expect(typingText(['a', 'b', 'c'], names)).toBe('Several people are typing…');
  });

  it('addresses_name_people_and_nothing_else', () => {
    expect(peopleOfHash(hashOfPeople(['bob', 'carol-2']))).toEqual(['bob', 'carol-2']);
    for (const bad of ['', '#/', '#/@', '#/@b', '#/@Bob', '#/@bob,', '#/@bob/../x', `#/@${'b'.repeat(33)}`]) {
      expect(peopleOfHash(bad)).toBeNull();
    }
  });
});

describe('rooms', () => {
  const ROOM = '01a0c450-77a4-7000-8000-000000000003';
  const names = new Map([['bob', 'Bob B.']]);

  it('have_addresses_of_their_own', () => {
    expect(keyOfHash(`#/room/${ROOM}`, 'alice')).toBe(`room:${ROOM}`);
    expect(keyOfHash('#/@bob', 'alice')).toBe('alice,bob');
    for (const bad of ['#/room/', '#/room/lobby', `#/room/${ROOM}/x`, `#/room/${ROOM.toUpperCase()}`])
      expect(keyOfHash(bad, 'alice')).toBeNull();
    for (const key of [`room:${ROOM}`, 'alice', 'alice,bob,carol'])
      expect(keyOfHash(hashOfKey(key, 'alice'), 'alice')).toBe(key);
  });

  it('that_are_gone_say_why', () => {
    const gone = { name: 'Lobby', by: 'bob' };
    expect(goneText({ ...gone, change: 'left' }, names)).toBe('You left Lobby.');
    expect(goneText({ ...gone, change: 'removed' }, names)).toBe('Bob B. removed you from Lobby.');
    expect(goneText({ ...gone, name: '', change: 'banned' }, names)).toBe(
      'Bob B. banned you from this room.',
    );
  });

  it('tell_who_did_what_to_whom', () => {
    const text = (what: Notice['what'], by: string, user: string) =>
      noticeText({ seq: 1, at: '', what, by, user, name: 'Hall' }, 'alice', names);
    expect(text('joined', 'bob', 'bob')).toBe('Bob B. joined.');
    expect(text('joined', 'alice', 'cy')).toBe('You added cy.');
    expect(text('removed', 'bob', 'cy')).toBe('Bob B. removed cy.');
    expect(text('renamed', 'alice', 'alice')).toBe('You renamed the room to Hall.');
  });

  it('stand_in_the_list_once_they_are_known', () => {
    const facts = { name: 'Lobby', topic: '', visibility: 'public', archived: false } as const;
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
});

describe('the timeline', () => {
  const at = (minutes: number) => new Date(NOW + minutes * 60_000).toISOString();
  const message = (seq: number, sender: string, minutes: number) =>
    said({ seq, sender, id: `id-${seq}`, text: 't', at: at(minutes) });
  const conversation = withMessages(emptyConversation('c', ['alice', 'bob']), [
    message(1, 'bob', -1500),
    message(2, 'bob', 0),
    message(3, 'bob', 2),
    message(4, 'bob', 20),
    message(5, 'alice', 21),
  ]);
  const entry = (id: string): Entry => ({
    id,
    order: 1,
    owner: 't',
    kind: 'send',
    to: { participants: ['bob', 'alice'] },
    text: 'w',
    composedAt: NOW + 22 * 60_000,
    status: 'queued',
  });

  it('has_days_and_puts_together_what_one_person_wrote_in_a_row', () => {
    const lines = linesOf(conversation, [], 'alice', null, calendar);
    expect(
      lines.map((line) =>
        line.kind === 'message' ? `${line.message.seq}${line.joined ? ' joined' : ''}` : line.kind,
      ),
    ).toEqual(['day', '1', 'day', '2', '3 joined', '4', '5']);
  });

  it('marks_where_the_new_ones_begin', () => {
    const lines = linesOf(conversation, [], 'alice', 2, calendar);
    expect(lines.findIndex(({ kind }) => kind === 'new')).toBe(4);
  });

  it('what_waits_comes_last_and_never_beside_its_own_message', () => {
    const queue = { ...emptyQueue, entries: [entry('id-5'), entry('id-9')] };
    const entries = entriesOf(queue, 'alice,bob', conversation);
    const lines = linesOf(conversation, entries, 'alice', null, calendar);
    expect(lines.filter(({ kind }) => kind === 'waiting')).toMatchObject([{ key: 'id-9', joined: true }]);
  });

  it('has_what_happened_in_a_room_where_it_happened', () => {
    const notice = (seq: number, minutes: number): Notice => ({
      ...{ seq, at: at(minutes), by: 'bob', user: 'bob', what: 'joined', name: '' },
    });
    const room = { ...conversation, notices: [notice(1.5, 0), notice(2.5, 1), notice(6, 22)] };
    const lines = linesOf(room, [], 'alice', null, calendar);
    const told = lines.map((line) =>
      line.kind === 'message' ? `${line.message.seq}${line.joined ? ' joined' : ''}` : line.kind,
    );
    // Nobody's messages stand together over a line between them.
    expect(told).toEqual(['day', '1', 'day', 'notice', '2', 'notice', '3', '4', '5', 'notice']);
  });

  it('shows_with_an_answer_what_that_answers', () => {
    const answer = { ...message(6, 'bob', 22), replyTo: 5 };
    const lines = linesOf(withMessages(conversation, [answer]), [], 'alice', null, calendar);
    expect(lines.at(-1)).toMatchObject({ reply: { seq: 5, sender: 'alice', text: 't', deleted: false } });
  });

  it('others_cannot_choose_ids_that_disturb_ours', () => {
    const twins = withMessages(conversation, [{ ...message(6, 'bob', 22), id: 'id-5' }]);
    const keys = linesOf(twins, [], 'alice', null, calendar).map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  const change = (
    id: string,
    command: Extract<Command, { kind: ConversationEntry['kind'] }>,
    status: Entry['status'] = 'queued',
  ): ConversationEntry => ({
    id,
    order: 1,
    owner: 't',
    composedAt: NOW,
    ...command,
    status,
  });
  const to = { conversation: 'c' };
  const shown = (...entries: ConversationEntry[]) => linesOf(conversation, entries, 'alice', null, calendar);
  const messageIn = (lines: ReturnType<typeof shown>, seq: number) => {
    const line = lines.find((found) => found.kind === 'message' && found.message.seq === seq);
    if (line?.kind !== 'message') throw new Error(`no line ${seq}`);
    return line;
  };

  it('shows_what_waits_as_if_it_had_happened', () => {
    const lines = shown(
      change('e1', { kind: 'edit', to, message: 5, text: 'one' }),
      change('e2', { kind: 'edit', to, message: 5, text: 'two' }, 'sending'),
      change('e3', { kind: 'react', to, message: 1, emoji: '👍', op: 'add' }),
      change('e4', { kind: 'edit', to, message: 1, text: 'not mine' }),
    );
    expect(messageIn(lines, 5).message).toMatchObject({ text: 'two', editedAt: at(0) });
    expect(messageIn(lines, 5).changes.map(({ id }) => id)).toEqual(['e1', 'e2']);
    expect(messageIn(lines, 1).message).toMatchObject({
      text: 't',
      reactions: [{ emoji: '👍', users: ['alice'], count: 1 }],
    });
    expect(lines.some(({ kind }) => kind === 'waiting')).toBe(false);
  });

  it('takes_back_what_was_refused_and_says_so_beside_the_message', () => {
    const lines = shown(change('e1', { kind: 'delete', to, message: 5 }, 'failed'));
    expect(messageIn(lines, 5).message).toMatchObject({ text: 't', deleted: false });
    expect(messageIn(lines, 5).changes.map(({ id }) => id)).toEqual(['e1']);
  });

  it('of_a_message_that_is_not_here_only_what_was_refused_is_shown', () => {
    const gone = (status: Entry['status']) => change('e1', { kind: 'delete', to, message: 99 }, status);
    expect(shown(gone('queued')).some(({ kind }) => kind === 'waiting')).toBe(false);
    expect(shown(gone('failed')).at(-1)).toMatchObject({ kind: 'waiting', key: 'e1' });
  });
});

describe('reactions', () => {
  it('are_one_emoji_in_the_form_that_the_server_knows', () => {
    for (const [emoji] of QUICK) expect(oneEmoji(emoji)).toBe(emoji);
    for (const one of ['👍🏽', '🇨🇭', '👩‍👩‍👧‍👦', '1️⃣']) expect(oneEmoji(` ${one} `)).toBe(one);
    expect(oneEmoji('❤')).toBe('❤️');
    for (const other of ['', ' ', 'a', '1', '👍👍', ':+1:', '\u{fe0f}', '👍'.repeat(50)])
      expect(oneEmoji(other)).toBeNull();
  });

  it('name_who_reacts_and_count_whom_nobody_named', () => {
    const names = new Map([['bob', 'Bob B.']]);
    expect(namesOf(['bob', 'alice', 'cy'], 3, 'alice', names)).toBe('Bob B., you, cy');
    expect(namesOf(['bob'], 4, 'alice', names)).toBe('Bob B., 3 others');
  });
});
