/** Whom this person has blocked (PROTOCOL CMD7). */
import { type Block, withBlocks, withRecentBlock } from '../blocks.ts';
import type { State } from '../state.ts';
import type { Changes, Frames } from './change.ts';

export const blockChanges: Changes<'blocked' | 'blocks_read'> = {
  blocked: (state, { block }) => foldBlock(state, block),
  // As with messages: what was read may be older than what the session has told since.
  blocks_read: (state, { users }) => ({
    ...state,
    blocked: withBlocks(users, state.recentBlocks),
    blocksRead: true,
  }),
};

export const blockFrames: Frames<'block'> = {
  block: (state, { seq, user, blocked }) => foldBlock(state, { seq, user, blocked }),
};

function foldBlock(state: State, next: Block): State {
  const recentBlocks = withRecentBlock(state.recentBlocks, next);
  if (recentBlocks === state.recentBlocks) return state;
  return { ...state, recentBlocks, blocked: withBlocks(state.blocked, [next]) };
}
