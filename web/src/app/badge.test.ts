import { expect, it } from 'vitest';
import { NO_PREFERENCES, type Preferences } from '../net/frames.ts';
import { emptyConversation } from '../store/state.ts';
import { badgeOf, titleOf } from './badge.ts';

function waiting(unread: number, mentions: number, preferences: Partial<Preferences> = {}) {
  const tally = { counted: { lastSeq: 9, read: 0, unread, mentions, inThreads: 0 }, others: [] };
  return { ...emptyConversation('c', ['me']), tally, preferences: { ...NO_PREFERENCES, ...preferences } };
}

it('the_title_counts_mentions_first_and_then_what_is_unread', () => {
  const title = (...all: ReturnType<typeof waiting>[]) => titleOf(badgeOf(all, 'me'));
  expect(title()).toBe('Natter');
  expect(title(waiting(3, 0), waiting(2, 0))).toBe('(5) Natter');
  expect(title(waiting(3, 1), waiting(2, 1))).toBe('(@2) Natter');
});

it('what_is_muted_or_hidden_is_not_counted_unless_its_mentions_are_wanted', () => {
  const of = (preferences: Partial<Preferences>) => badgeOf([waiting(3, 1, preferences)], 'me');
  const nothing = { unread: 0, mentions: 0 };
  expect(of({ muted: true })).toEqual(nothing);
  expect(of({ hidden: true, notify: 'mentions' })).toEqual(nothing);
  expect(of({ notify: 'nothing' })).toEqual(nothing);
  expect(of({ muted: true, notify: 'mentions' })).toEqual({ unread: 1, mentions: 1 });
  expect(of({ notify: 'mentions' })).toEqual({ unread: 3, mentions: 1 });
});
