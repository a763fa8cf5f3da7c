import { describe, expect, it } from 'vitest';
import type { Route } from '../../hooks/route.ts';
import { said } from '../../store/changes.ts';
import type { Message } from '../../store/state.ts';
import { emptyTimeline, withLive } from '../../store/timeline.ts';
import { placeOf } from '../listed/usePlace.ts';
import { beforeNew } from './useThread.ts';

const message = (seq: number, sender = 'bob'): Message =>
  said({ seq, sender, id: `id-${seq}`, text: `text ${seq}`, at: '2026-05-01T12:00:00Z' });
const thread = [message(2), message(3, 'ada'), message(4), message(6)].reduce(
  withLive,
  emptyTimeline('c', 1),
);
const root = (unread?: number): Message => ({
  ...message(1),
  replies: { count: 4, lastAt: '', ...(unread !== undefined && { unread }) },
});

describe('what is new in a thread', () => {
  it('begins_at_as_many_messages_of_others_as_are_unread', () => {
    expect(beforeNew(root(1), thread, 'ada')).toBe(5);
    expect(beforeNew(root(2), thread, 'ada')).toBe(3);
    // More than is here: all of it.
    expect(beforeNew(root(9), thread, 'ada')).toBe(1);
  });

  it('is_nothing_for_whoever_does_not_follow_it', () => {
    expect(beforeNew(root(), thread, 'ada')).toBeNull();
    expect(beforeNew(root(0), thread, 'ada')).toBeNull();
  });
});

describe('the way to a listed message', () => {
  const here: Route = {
    page: 'conversation',
    of: { people: ['bob'] },
    at: null,
    pane: { name: 'search' },
  };
  const of = { conversation: 'c', thread: null, seq: 7 };

  it('keeps_what_is_beside_where_there_is_room', () => {
    expect(placeOf(here, true, true, of)).toEqual({ ...here, at: 7 });
    expect(placeOf(here, true, false, of)).toEqual({ ...here, at: 7, pane: null });
    expect(placeOf(here, false, true, of)).toEqual({ ...here, of: { id: 'c' }, at: 7 });
  });

  it('into_a_thread_opens_it', () => {
    const pane = { name: 'thread', root: 3 };
    expect(placeOf(here, true, true, { ...of, thread: 3 })).toEqual({ ...here, at: 7, pane });
  });
});
