/** How much waits to be read, over all conversations. */
import type { Conversation } from '../store/state.ts';
import { mentionCount, unreadCount } from '../store/unread.ts';

export interface Badge {
  unread: number;
  /** How many of those are meant for this person. */
  mentions: number;
}

/** What is muted or hidden counts only where a mention of it is wanted. */
export function badgeOf(conversations: Iterable<Conversation>, me: string): Badge {
  let [unread, mentions] = [0, 0];
  for (const conversation of conversations) {
    const { muted, hidden, notify } = conversation.preferences;
    const silent = muted || hidden || notify === 'nothing';
    const mentioned = hidden || (silent && notify !== 'mentions') ? 0 : mentionCount(conversation, me);
    mentions += mentioned;
    unread += silent ? mentioned : unreadCount(conversation, me);
  }
  return { unread, mentions };
}

/** Mentions come first: “(@2) Natter”, else “(15) Natter”. */
export function titleOf({ unread, mentions }: Badge): string {
  if (mentions > 0) return `(@${mentions}) Natter`;
  return unread > 0 ? `(${unread}) Natter` : 'Natter';
}
