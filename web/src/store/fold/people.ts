/** What people are called. */
import type { UserItem } from '../../net/frames.ts';
import type { State } from '../state.ts';
import type { Changes, Frames } from './change.ts';

export const peopleChanges: Changes<'met'> = {
  met: (state, { people }) => foldMet(state, people),
};

export const peopleFrames: Frames<'profile'> = {
  profile: (state, frame) => foldMet(state, [frame]),
};

function foldMet(state: State, people: readonly Pick<UserItem, 'user' | 'displayName'>[]): State {
  const news = people.filter(({ user, displayName }) => state.names.get(user) !== displayName);
  if (news.length === 0) return state;
  const names = new Map(state.names);
  for (const { user, displayName } of news) names.set(user, displayName);
  return { ...state, names };
}
