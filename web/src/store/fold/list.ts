/** The list of conversations, and how this person wants each to be treated. */
import type { ConversationItem, Page } from '../../net/frames.ts';
import { withItem, withSaid } from '../conversation.ts';
import { type Told, withTold, withWord } from '../rooms.ts';
import { emptyConversation, type State } from '../state.ts';
import type { Changes, Frames } from './change.ts';
import { changed, withConversation } from './held.ts';
import { asTheyAreNow } from './timelines.ts';

export const listChanges: Changes<'list_page' | 'list_failed' | 'row' | 'told'> = {
  list_page: (state, { page }) => foldList(state, page),
  list_failed: (state, { fault }) => ({ ...state, list: { status: 'failed', fault } }),
  row: (state, { item }) => withRow(state, item),
  told: (state, { word }) => foldTold(state, word),
};

export const listFrames: Frames<'preferences'> = {
  preferences: (state, { seq, conversation, muted, starred, hidden, notify }) =>
    foldTold(state, { seq, conversation, preferences: { muted, starred, hidden, notify } }),
};

/** Remembered also where the conversation is not here yet, as what is done to messages is. */
export function foldTold(state: State, word: Told): State {
  const told = withTold(state.told, word);
  if (told === state.told) return state;
  return changed({ ...state, told }, word.conversation, (held) => withWord(held, word));
}

function foldList(state: State, page: Page<ConversationItem>): State {
  const next = page.items.reduce(withRow, state);
  return { ...withoutStaleRows(next, page.next === null), list: { status: 'done' }, listNext: page.next };
}

/** Once all of the list is here, a conversation that is not in it is none of this person's any more. */
function withoutStaleRows(state: State, whole: boolean): State {
  const { stale } = state;
  if (stale === null || !whole || stale.conversations.size === 0) return state;
  return { ...state, stale: stale.timelines.size === 0 ? null : { ...stale, conversations: new Map() } };
}

/** A row, as new as what the session has told: a room that one left meanwhile is not back. */
function withRow(state: State, item: ConversationItem): State {
  const { conversation: id, participants, lastMessage } = item;
  if (state.gone.has(id)) return state;
  const held = state.conversations.get(id) ?? emptyConversation(id, participants);
  const row = state.told
    .filter(({ conversation }) => conversation === id)
    .reduce(withWord, withItem(held, item, state.me));
  if (lastMessage === null) return withConversation(state, row);
  const { messages, newer } = asTheyAreNow(state, id, [lastMessage]);
  return withConversation(state, withSaid(row, messages, state.me, newer));
}
