import { describe, expect, it } from 'vitest';
import type { ClientFrame } from '../net/frames.ts';
import { MAX_WATCHED_USERS } from '../net/wire/generated.ts';
import { directKey } from '../store/state.ts';
import { Store } from '../store/store.ts';
import { counter, ManualClock } from '../testing/clock.ts';
import { Watching } from './watching.ts';

const ME = 'alice';

function watching() {
  const environment = new ManualClock();
  const store = new Store(ME, (fire) => environment.frame(fire));
  const sent: ClientFrame[] = [];
  const send = (frame: ClientFrame) => sent.push(frame) > 0;
  const again: (readonly string[])[] = [];
  const part = new Watching({
    ...{ environment, store, nextRef: counter(), send },
    followedAgain: (people) => again.push(people),
  });
  const meet = (...users: string[]) =>
    store.apply({
      type: 'met',
      people: users.map((user) => ({ user, displayName: user, lastSeen: undefined })),
    });
  const users = () => {
    environment.advance(1_000);
    const last = sent.at(-1);
    return last?.type === 'watch' ? last.users : null;
  };
  const answer = () => {
    const last = sent.at(-1);
    const ref = last?.type === 'watch' ? (last.ref ?? undefined) : undefined;
    part.answered({
      ...{ type: 'ok', ref, seq: undefined, position: undefined, conversation: undefined, at: undefined },
      ...{ duplicate: false, refused: undefined },
    });
  };
  const online = (user: string) =>
    store.apply({
      ...{ type: 'frame', now: 0 },
      frame: { type: 'presence', user, status: 'online', text: undefined, lastSeen: undefined },
    });
  part.live();
  return { part, store, again, meet, users, answer, online };
}

describe('watching', () => {
  it('follows_whom_one_talks_to_and_who_stands_beside_and_no_more_than_may_be', () => {
    const { store, meet, users } = watching();
    meet('bob');
    store.apply({ type: 'opened', key: directKey([ME, 'bob']) });
    store.apply({ type: 'beside', people: [ME, 'carol', ''] });
    expect(users()).toEqual(['bob', 'carol']);
    const many = Array.from({ length: MAX_WATCHED_USERS + 10 }, (_, n) => `user-${n}`);
    store.apply({ type: 'beside', people: many });
    expect(users()).toHaveLength(MAX_WATCHED_USERS);
    expect(users()?.[0]).toBe('bob');
  });

  it('asks_for_nobody_whom_only_an_address_names', () => {
    const { store, meet, users } = watching();
    store.apply({ type: 'opened', key: directKey([ME, 'nobody-has-this']) });
    store.apply({ type: 'beside', people: ['carol'] });
    expect(users()).toEqual(['carol']);
    meet('nobody-has-this');
    expect(users()).toEqual(['nobody-has-this', 'carol']);
  });

  it('knows_nothing_of_those_who_are_not_followed_any_more', () => {
    const { store, users, answer, online } = watching();
    store.apply({ type: 'beside', people: ['carol'] });
    expect(users()).toEqual(['carol']);
    online('carol');
    answer();
    expect([...store.state.presence.keys()]).toEqual(['carol']);
    store.apply({ type: 'beside', people: [] });
    expect(users()).toEqual([]);
    answer();
    expect([...store.state.presence.keys()]).toEqual([]);
  });

  it('asks_once_what_became_meanwhile_of_whom_a_later_session_follows', () => {
    const { part, store, again, users, answer } = watching();
    store.apply({ type: 'beside', people: ['carol'] });
    expect(users()).toEqual(['carol']);
    answer();
    expect(again).toEqual([]);
    part.down();
    part.live();
    expect(users()).toEqual(['carol']);
    answer();
    store.apply({ type: 'beside', people: ['carol', 'dan'] });
    expect(users()).toEqual(['carol', 'dan']);
    answer();
    expect(again).toEqual([['carol']]);
  });
});
