/** Blocking somebody, and taking it back. */

import { useKnown, useQueue } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { pendingBlock } from '../../outbox/pending.ts';
import type { BlockEntry } from '../../outbox/queue.ts';
import { EntryFault } from '../outbox/EntryFault.tsx';

/** Whether this person has blocked `user`, as it will be once all that waits has left. */
export function useBlocked(user: string): boolean {
  const blocked = useKnown((state) => state.blocked.has(user));
  return pendingBlock(useQueue().entries, user) ?? blocked;
}

/** Where one would write otherwise. */
export function BlockedLine({ name, unblock }: { name: string; unblock(): void }) {
  const { people } = useWords();
  return (
    <p className="blocked">
      <span>{people.youBlocked(name)}</span>
      <button type="button" className="button small" aria-label={people.unblockWhom(name)} onClick={unblock}>
        {people.unblock}
      </button>
    </p>
  );
}

export function BlockFaults({ user }: { user: string }) {
  return useQueue()
    .entries.filter((entry): entry is BlockEntry => entry.kind === 'block' && entry.user === user)
    .filter(({ status }) => status === 'failed')
    .map((entry) => <EntryFault key={entry.id} entry={entry} />);
}
