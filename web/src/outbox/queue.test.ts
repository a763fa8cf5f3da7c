import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FaultCode } from '../net/codes.ts';
import { counter } from '../testing/clock.ts';
import {
  emptyQueue,
  type Queue,
  type QueueEffect,
  type QueueEvent,
  reduceQueue,
  type StoredEntry,
} from './queue.ts';

const NOW = 1_000_000;
const entry = (n: number): StoredEntry => ({
  id: `id-${n}`,
  order: n,
  owner: 'tab',
  kind: 'send',
  to: { conversation: 'c' },
  text: `text ${n}`,
  composedAt: NOW,
  status: 'queued',
});

class Play {
  queue: Queue = emptyQueue;
  effects: readonly QueueEffect[] = [];
  now = NOW;
  take(event: QueueEvent): this {
    [this.queue, this.effects] = reduceQueue(this.queue, event, { now: this.now, random: 0.5 });
    return this;
  }
  later(ms: number): this {
    this.now += ms;
    return this.take({ type: 'tick' });
  }
  get sent() {
    return this.effects.flatMap((effect) => (effect.do === 'send' ? [effect.entry.id] : []));
  }
  get states() {
    return this.queue.entries.map(({ id, status }) => `${id} ${status}`);
  }
}

const two = () =>
  new Play().take({ type: 'added', entry: entry(1) }).take({ type: 'added', entry: entry(2) });
const refusal = (id: string, code: FaultCode, temporary: boolean, retryAfterMs?: number): QueueEvent => ({
  type: 'refused',
  id,
  fault: { code, message: 'no' },
  temporary,
  retryAfterMs,
});

describe('the queue', () => {
  it('waits_while_there_is_no_session_and_sends_in_the_order_of_writing', () => {
    const play = two();
    expect(play.states).toEqual(['id-1 queued', 'id-2 queued']);
    expect(play.take({ type: 'live' }).sent).toEqual(['id-1']);
    expect(play.states).toEqual(['id-1 sending', 'id-2 queued']);
    expect(play.take({ type: 'settled', id: 'id-1' }).sent).toEqual(['id-2']);
    expect(play.take({ type: 'settled', id: 'id-2' }).states).toEqual([]);
  });

  it('con3_in_another_log_what_names_a_message_is_not_done_but_said_by_itself_if_one_wants', () => {
    const of = (n: number, more: object) => ({ ...entry(n), ...more }) as StoredEntry;
    const removal = (n: number) => of(n, { kind: 'delete', message: 7 });
    const play = new Play();
    for (const one of [removal(1), entry(2), of(3, { replyTo: 7 }), of(4, { thread: 7 })])
      play.take({ type: 'added', entry: one });
    play.take({ type: 'other_log', since: NOW + 1 });
    expect(play.states).toEqual(['id-1 failed', 'id-2 queued', 'id-3 failed', 'id-4 failed']);
    expect(play.effects).toMatchObject(['id-1', 'id-3', 'id-4'].map((id) => ({ do: 'put', entry: { id } })));
    // Also what a disk that was slow tells of the time before.
    const later = of(6, { kind: 'pin', message: 7, op: 'add', composedAt: NOW + 2 });
    play.take({ type: 'loaded', entries: [removal(5), later], owner: 'tab' });
    expect(play.states.slice(4)).toEqual(['id-5 failed', 'id-6 queued']);

    const fault = { code: 'other_log' };
    expect(play.queue.entries[0]).toMatchObject({ message: 7, fault });
    play
      .take({ type: 'retry', id: 'id-1', freshId: 'id-9' })
      .take({ type: 'retry', id: 'id-3', freshId: 'id-9' });
    expect(play.states.slice(0, 3)).toEqual(['id-1 failed', 'id-2 queued', 'id-3 queued']);
    expect(play.queue.entries[2]).toEqual(entry(3));
  });

  it('is_on_disk_before_it_is_sent_and_leaves_it_when_it_is_settled', () => {
    const play = new Play().take({ type: 'live' }).take({ type: 'added', entry: entry(1) });
    expect(play.effects.map((effect) => effect.do)).toEqual(['put', 'send', 'wake_in']);
    expect(play.take({ type: 'settled', id: 'id-1' }).effects).toContainEqual({ do: 'remove', id: 'id-1' });
  });

  it('cmd3_what_had_no_answer_is_sent_again_with_the_same_id', () => {
    const play = two().take({ type: 'live' }).take({ type: 'down' });
    expect(play.states).toEqual(['id-1 queued', 'id-2 queued']);
    expect(play.take({ type: 'live' }).sent).toEqual(['id-1']);
  });

  it('cmd3_a_session_that_never_answers_does_not_hold_it_for_ever', () => {
    const play = two().take({ type: 'live' });
    expect(play.later(19_999).states[0]).toBe('id-1 sending');
    expect(play.later(1).states[0]).toBe('id-1 queued');
    expect(play.later(500).sent).toEqual(['id-1']);
  });

  it('cmd5_a_refusal_for_now_waits_as_long_as_it_says_and_holds_the_later_ones', () => {
    const play = two()
      .take({ type: 'live' })
      .take(refusal('id-1', 'rate_limited', true, 4_000));
    expect(play.states).toEqual(['id-1 queued', 'id-2 queued']);
    expect(play.later(3_999).sent).toEqual([]);
    expect(play.later(1).sent).toEqual(['id-1']);
  });

  it('a_refusal_without_a_delay_backs_off', () => {
    const play = two().take({ type: 'live' });
    const delays: number[] = [];
    for (let n = 0; n < 6; n += 1) {
      play.take(refusal('id-1', 'unavailable', true));
      delays.push(play.queue.pausedUntil - play.now);
      play.later(play.queue.pausedUntil - play.now);
    }
    expect(delays).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000]);
  });

  it('a_final_refusal_fails_that_one_with_its_reason_and_lets_the_next_go', () => {
    const play = two()
      .take({ type: 'live' })
      .take(refusal('id-1', 'blocked', false));
    expect(play.states).toEqual(['id-1 failed', 'id-2 sending']);
    expect(play.queue.entries[0]?.fault).toEqual({ code: 'blocked', message: 'no' });
    expect(play.effects).toContainEqual({ do: 'put', entry: expect.objectContaining({ status: 'failed' }) });
  });

  it('a_session_that_ends_says_nothing_about_the_message', () => {
    const play = two()
      .take({ type: 'live' })
      .take(refusal('id-1', 'unauthenticated', false));
    expect(play.states[0]).toBe('id-1 queued');
  });

  it('retry_keeps_the_id_unless_it_is_used_up_by_another_text', () => {
    const play = two()
      .take({ type: 'live' })
      .take(refusal('id-1', 'blocked', false))
      .take({ type: 'down' });
    expect(play.take({ type: 'retry', id: 'id-1', freshId: 'new' }).states).toEqual([
      'id-1 queued',
      'id-2 queued',
    ]);
    play
      .take({ type: 'live' })
      .take(refusal('id-1', 'conflict', false))
      .take({ type: 'down' });
    expect(play.take({ type: 'retry', id: 'id-1', freshId: 'new' }).states).toEqual([
      'new queued',
      'id-2 queued',
    ]);
    expect(play.effects).toContainEqual({ do: 'remove', id: 'id-1' });
  });

  it('discard_is_for_failed_ones_only', () => {
    const play = two().take({ type: 'live' });
    expect(play.take({ type: 'discard', id: 'id-1' }).states).toHaveLength(2);
    play.take(refusal('id-1', 'invalid', false));
    expect(play.take({ type: 'discard', id: 'id-1' }).states).toEqual(['id-2 sending']);
  });

  it('a_late_or_strange_answer_changes_nothing', () => {
    const play = two();
    const before = play.queue;
    expect(play.take(refusal('id-1', 'blocked', false)).queue).toBe(before);
    expect(play.take({ type: 'settled', id: 'nobody' }).queue).toBe(before);
    expect(play.take({ type: 'retry', id: 'id-1', freshId: 'new' }).queue).toBe(before);
  });

  it('what_was_left_on_disk_goes_before_what_is_written_now', () => {
    const play = new Play().take({ type: 'added', entry: entry(5) });
    play.take({ type: 'loaded', entries: [entry(2), entry(1), entry(5)], owner: 'new tab' });
    expect(play.states).toEqual(['id-1 queued', 'id-2 queued', 'id-5 queued']);
    expect(play.effects).toContainEqual({ do: 'put', entry: { ...entry(1), owner: 'new tab' } });
  });

  it('cmd2_whatever_happens_messages_reach_the_log_once_and_in_order', () => {
    const events = fc.constantFrom('ok', 'lost ok', 'cut before', 'limited', 'silence', 'write');
    fc.assert(
      fc.property(fc.array(events, { maxLength: 60 }), (happenings) => {
        const play = new Play().take({ type: 'live' });
        const log: string[] = [];
        const written = counter();
        // The server: one event per id, whenever and how often it comes (CMD2).
        const store = (id: string) => log.includes(id) || log.push(id);
        const sending = () => play.queue.entries.find(({ status }) => status === 'sending')?.id;
        const cut = () => play.take({ type: 'down' }).take({ type: 'live' });
        for (const happening of happenings) {
          const id = sending();
          if (happening === 'write') play.take({ type: 'added', entry: entry(written()) });
          else if (id === undefined) play.later(30_000);
          else if (happening === 'ok') {
            store(id);
            play.take({ type: 'settled', id });
          } else if (happening === 'lost ok') {
            store(id);
            cut();
          } else if (happening === 'limited')
            play.take(refusal(id, 'rate_limited', true, 1_000)).later(1_000);
          else if (happening === 'silence') play.later(20_000);
          else cut();
        }
        for (let n = 0; n < 200 && play.queue.entries.length > 0; n += 1) {
          const id = sending();
          if (id === undefined) play.later(30_000);
          else {
            store(id);
            play.take({ type: 'settled', id });
          }
        }
        expect(play.queue.entries).toEqual([]);
        expect(log).toEqual(Array.from({ length: written() - 1 }, (_, n) => `id-${n + 1}`));
      }),
      { numRuns: 500 },
    );
  });
});
