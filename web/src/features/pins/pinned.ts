import { isChange, withPending } from '../../outbox/pending.ts';
import type { Entry } from '../../outbox/queue.ts';
import type { Listed } from '../../store/listings.ts';

/** What is pinned once all that waits is in the log. */
export function stillPinned(
  items: readonly Listed[],
  entries: readonly Entry[],
  me: string,
): readonly Listed[] {
  const changes = entries.filter(isChange);
  if (changes.length === 0) return items;
  return items.filter(({ conversation, message }) => {
    const about = changes.filter(
      (entry) => entry.to.conversation === conversation && entry.message === message.seq,
    );
    return withPending(message, about, me).pinned;
  });
}
