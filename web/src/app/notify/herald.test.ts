import { describe, expect, it } from 'vitest';
import { NOTIFY_DEFAULTS } from '../../device/notify.ts';
import type { MessageFrame } from '../../net/frames.ts';
import { withRead } from '../../store/conversation.ts';
import { emptyConversation, initialState, type State } from '../../store/state.ts';
import { ManualClock, settle } from '../../testing/clock.ts';
import { Herald } from './herald.ts';
import type { Popup } from './popups.ts';

function stage() {
  const clock = new ManualClock(new Date(2026, 4, 6, 12).getTime());
  const direct = ['a', 'b', 'c', 'd', 'e'].map((id) => emptyConversation(id, ['me', id]));
  const front = { places: new Set<string>(), focused: false };
  const world = {
    clock,
    front,
    catchingUp: false,
    speaks: true,
    settings: { ...NOTIFY_DEFAULTS, level: 'everything' as const },
    state: {
      ...initialState('me'),
      list: { status: 'done' },
      blocksRead: true,
      conversations: new Map(direct.map((held) => [held.id, held])),
    } as State,
    /** What can be seen, by tag. */
    shown: new Map<string, string>(),
    /** All that was ever shown, and heard. */
    log: [] as string[],
  };
  const herald = new Herald({
    environment: clock,
    state: () => world.state,
    settings: () => world.settings,
    catchingUp: () => world.catchingUp,
    attention: {
      get speaks() {
        return world.speaks;
      },
      look: async () => front,
    },
    popups: {
      show: ({ tag, body }: Popup) => {
        world.shown.set(tag, body);
        world.log.push(body);
      },
      close: (tag) => void world.shown.delete(tag),
    },
    playSound: () => world.log.push('♪'),
    tell: (_, { text }) => ({ title: '', body: text, hash: '' }),
    summarise: (messages, conversations) => ({
      title: '',
      body: `${messages} in ${conversations}`,
      hash: '',
    }),
  });
  let seq = 0;
  const say = (conversation: string, text: string, fields: Partial<MessageFrame> = {}) => {
    seq += 1;
    const frame = { type: 'message', seq, conversation, sender: conversation, text, thread: null };
    herald.hear({ ...frame, mentions: [], mentionsRoom: false, ...fields } as MessageFrame);
    return seq;
  };
  const pass = async (ms: number) => {
    clock.advance(ms);
    await settle();
  };
  const read = (id: string, upTo: number) => {
    const held = world.state.conversations.get(id);
    if (held === undefined) throw new Error(id);
    const conversations = new Map(world.state.conversations).set(id, withRead(held, 'me', upTo));
    world.state = { ...world.state, conversations };
    herald.stateChanged();
  };
  return { world, herald, say, pass, read };
}

describe('the herald', () => {
  it('tells_at_once_and_then_no_more_often_than_every_three_seconds', async () => {
    const { world, say, pass } = stage();
    say('a', 'one');
    await pass(100);
    expect(world.log).toEqual(['one', '♪']);
    say('a', 'two');
    await pass(1_000);
    say('a', 'three');
    await pass(1_000);
    expect(world.log).toHaveLength(2);
    await pass(1_000);
    expect(world.log).toEqual(['one', '♪', 'three', '♪']);
    expect([...world.shown]).toEqual([['a', 'three']]);
  });

  it('tells_of_many_conversations_in_one_sentence', async () => {
    const { world, say, pass } = stage();
    for (let n = 0; n < 500; n += 1) say('abcde'.charAt(n % 5), `${n}`);
    await pass(100);
    expect(world.log).toEqual(['500 in 5', '♪']);
    for (const id of 'abc') say(id, id);
    await pass(3_000);
    expect(world.log.slice(2)).toEqual(['a', 'b', 'c', '♪']);
  });

  it('tells_at_most_once_of_all_that_was_missed', async () => {
    const { world, herald, say, pass, read } = stage();
    world.catchingUp = true;
    for (const id of 'abc') say(id, id);
    const last = say('c', 'cc');
    await pass(10_000);
    expect(world.log).toEqual([]);
    read('a', last);
    world.catchingUp = false;
    herald.hear({ type: 'caught_up', position: 'p' });
    await pass(100);
    expect(world.log).toEqual(['3 in 2', '♪']);
    expect(world.shown.size).toBe(1);
    herald.seen([]);
    expect(world.shown.size).toBe(0);
  });

  it('waits_until_it_is_known_what_is_muted_and_who_is_blocked', async () => {
    const { world, say, pass } = stage();
    world.state = { ...world.state, list: { status: 'loading' } };
    say('a', 'hello');
    await pass(10_000);
    expect(world.log).toEqual([]);
    world.state = { ...world.state, list: { status: 'done' }, listNext: 'more', blocked: new Set(['a']) };
    say('b', 'hi');
    await pass(3_000);
    expect(world.log).toEqual([]);
    world.state = { ...world.state, listNext: null };
    await pass(3_000);
    expect(world.log).toEqual(['hi', '♪']);
  });

  it('waits_for_what_is_known_of_a_room_and_not_for_ever', async () => {
    const { world, say, pass } = stage();
    const unknown = emptyConversation('r', []);
    world.state = { ...world.state, conversations: new Map([['r', unknown]]) };
    say('r', 'first');
    await pass(10_000);
    expect(world.log).toEqual([]);
    const room = { name: 'Lobby', topic: '', visibility: 'public' as const, archived: false, owners: [] };
    const known = { ...unknown, kind: 'room', room };
    world.state = { ...world.state, conversations: new Map([['r', known]]) };
    await pass(3_000);
    expect(world.log).toEqual(['first', '♪']);
    world.state = { ...world.state, conversations: new Map([['r', unknown]]) };
    say('r', 'second');
    await pass(60_000);
    expect(world.clock.pending).toBe(0);
    expect(world.log).toHaveLength(2);
  });

  it('is_silent_in_a_tab_that_does_not_speak_and_of_what_stands_on_the_screen_of_any', async () => {
    const { world, say, pass } = stage();
    world.speaks = false;
    say('a', 'not mine');
    await pass(3_000);
    world.speaks = true;
    world.front.places = new Set(['b,me', 'c,me/7']);
    say('b', 'seen');
    say('c', 'seen in its thread', { thread: 7 });
    say('c', 'not seen');
    await pass(3_000);
    expect(world.log).toEqual(['not seen', '♪']);
    world.front.focused = true;
    say('a', 'shows in the list');
    await pass(3_000);
    expect(world.log).toEqual(['not seen', '♪', '♪']);
  });

  it('takes_back_what_is_read_or_deleted', async () => {
    const { world, herald, say, pass, read } = stage();
    const [a, b, c] = [say('a', 'a'), say('b', 'b'), say('c', 'c', { thread: 1 })];
    await pass(100);
    read('a', a - 1);
    expect([...world.shown.keys()]).toEqual(['a', 'b', 'c']);
    read('a', a);
    expect([...world.shown.keys()]).toEqual(['b', 'c']);
    const gone = { seq: 9, position: '', conversation: 'b', message: b, by: 'b', id: '', at: '' };
    herald.hear({ type: 'deleted', ...gone });
    const marker = { seq: 9, position: '', conversation: 'c', user: 'me', read: c, thread: 1, at: '' };
    herald.hear({ type: 'marker', ...marker });
    expect([...world.shown.keys()]).toEqual([]);
    say('a', 'taken back');
    herald.hear({ type: 'deleted', ...gone, conversation: 'a', message: c + 1 });
    await pass(3_000);
    expect(world.shown.size).toBe(0);
  });
});
