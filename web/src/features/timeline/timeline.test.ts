import { describe, expect, it } from 'vitest';
import type { Calendar } from '../../kit/time.ts';
import type { Command } from '../../outbox/commands/commands.ts';
import { type ConversationEntry, type Entry, emptyQueue } from '../../outbox/queue.ts';
import { said } from '../../store/changes.ts';
import type { Notice } from '../../store/rooms.ts';
import { type Conversation, emptyConversation, type Message } from '../../store/state.ts';
import { emptyTimeline, withLive } from '../../store/timeline.ts';
import { entriesOf, linesOf as linesOfTimeline } from './timeline.ts';

const NOW = Date.parse('2026-05-06T12:00:00Z');
const calendar: Calendar = { locale: 'en-GB', timeZone: 'UTC' };

describe('the timeline', () => {
  const at = (minutes: number) => new Date(NOW + minutes * 60_000).toISOString();
  const message = (seq: number, sender: string, minutes: number) =>
    said({ seq, sender, id: `id-${seq}`, text: 't', at: at(minutes) });
  const conversation = emptyConversation('c', ['alice', 'bob']);
  const messages = [
    message(1, 'bob', -1500),
    message(2, 'bob', 0),
    message(3, 'bob', 2),
    message(4, 'bob', 20),
    message(5, 'alice', 21),
  ];
  const linesOf = (
    entries: ConversationEntry[],
    readBefore: number | null = null,
    { more = [], of = conversation }: { more?: Message[]; of?: Conversation } = {},
  ) => {
    const timeline = [...messages, ...more].reduce(withLive, emptyTimeline('c'));
    return linesOfTimeline(of, timeline, entries, 'alice', readBefore, calendar);
  };
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
    const lines = linesOf([]);
    expect(
      lines.map((line) =>
        line.kind === 'message' ? `${line.message.seq}${line.joined ? ' joined' : ''}` : line.kind,
      ),
    ).toEqual(['day', '1', 'day', '2', '3 joined', '4', '5']);
  });

  it('marks_where_the_new_ones_begin', () => {
    const lines = linesOf([], 2);
    expect(lines.findIndex(({ kind }) => kind === 'new')).toBe(4);
  });

  it('marks_nothing_where_what_is_new_may_have_begun_before_what_is_here', () => {
    const held = {
      ...emptyTimeline('c'),
      segments: [{ messages, from: 1, to: 5, older: true, newer: false }],
    };
    const kinds = (readBefore: number) =>
      linesOfTimeline(conversation, held, [], 'alice', readBefore, calendar).map(({ kind }) => kind);
    expect(kinds(0)).not.toContain('new');
    expect(kinds(1)).toContain('new');
  });

  it('gives_the_same_line_for_what_says_the_same', () => {
    const answer = { ...message(6, 'bob', 22), replyTo: 5 };
    const before = linesOf([], null, { more: [answer] }).filter(({ kind }) => kind === 'message');
    const after = linesOf([], null, { more: [answer, message(7, 'bob', 23)] }).filter(
      ({ kind }) => kind === 'message',
    );
    expect(before.length).toBe(6);
    expect(before.every((line, n) => line === after[n])).toBe(true);
  });

  it('what_waits_comes_last_and_never_beside_its_own_message', () => {
    const queue = { ...emptyQueue, entries: [entry('id-5'), entry('id-9')] };
    const entries = entriesOf(queue, 'alice,bob', conversation);
    const lines = linesOf(entries);
    expect(lines.filter(({ kind }) => kind === 'waiting')).toMatchObject([{ key: 'id-9', joined: true }]);
  });

  it('has_what_happened_in_a_room_where_it_happened', () => {
    const notice = (seq: number, minutes: number): Notice => ({
      ...{ seq, at: at(minutes), by: 'bob', user: 'bob', what: 'joined', name: '' },
    });
    const room = { ...conversation, notices: [notice(1.5, 0), notice(2.5, 1), notice(6, 22)] };
    const lines = linesOf([], null, { of: room });
    const told = lines.map((line) =>
      line.kind === 'message' ? `${line.message.seq}${line.joined ? ' joined' : ''}` : line.kind,
    );
    // Nobody's messages stand together over a line between them.
    expect(told).toEqual(['day', '1', 'day', 'notice', '2', 'notice', '3', '4', '5', 'notice']);
  });

  it('shows_with_an_answer_what_that_answers', () => {
    const answer = { ...message(6, 'bob', 22), replyTo: 5 };
    const lines = linesOf([], null, { more: [answer] });
    expect(lines.at(-1)).toMatchObject({ reply: { seq: 5, sender: 'alice', text: 't', deleted: false } });
  });

  it('others_cannot_choose_ids_that_disturb_ours', () => {
    const twin = { ...message(6, 'bob', 22), id: 'id-5' };
    const keys = linesOf([], null, { more: [twin] }).map(({ key }) => key);
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
  const shown = (...entries: ConversationEntry[]) => linesOf(entries);
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
