/** What only a live session knows: who is there and who types. */
import type { State } from '../state.ts';
import type { Changes, Frames } from './change.ts';

/** PROTOCOL §4: how long `typing` is believed. */
export const TYPING_MS = 5_000;

export const presenceChanges: Changes<'disconnected' | 'tick'> = {
  disconnected: (state) =>
    state.presence.size === 0 && state.typing.size === 0
      ? state
      : { ...state, presence: new Map(), typing: new Map() },
  tick: (state, { now }) => withoutOldTyping(state, now),
};

export const presenceFrames: Frames<'presence' | 'typing'> = {
  presence: (state, { user, status, text, lastSeen }) => {
    const presence = new Map(state.presence).set(user, { status, text, lastSeen });
    // Whoever is gone does not go on typing.
    const there = status === 'offline' ? withoutTypist(state, user) : state;
    return { ...there, presence };
  },
  typing: (state, { conversation, user }, now) => {
    if (user === state.me || !state.conversations.has(conversation)) return state;
    const there = new Map(state.typing.get(conversation)).set(user, now + TYPING_MS);
    return { ...state, typing: new Map(state.typing).set(conversation, there) };
  },
};

export function withoutTyping(state: State, conversation: string, user: string): State {
  const there = state.typing.get(conversation);
  if (there?.has(user) !== true) return state;
  const rest = new Map(there);
  rest.delete(user);
  return { ...state, typing: new Map(state.typing).set(conversation, rest) };
}

function withoutTypist(state: State, user: string): State {
  return [...state.typing.keys()].reduce((rest, id) => withoutTyping(rest, id, user), state);
}

function withoutOldTyping(state: State, now: number): State {
  const typing = new Map<string, ReadonlyMap<string, number>>();
  let ended = false;
  for (const [conversation, there] of state.typing) {
    const still = new Map([...there].filter(([, until]) => until > now));
    if (still.size < there.size) ended = true;
    if (still.size > 0) typing.set(conversation, still);
  }
  return ended || typing.size < state.typing.size ? { ...state, typing } : state;
}
