/** Blocking the other person of a conversation of two. */

import { pendingBlock } from '../outbox/pending.ts';
import type { BlockEntry } from '../outbox/queue.ts';
import { Dialog } from './Dialog.tsx';
import { EntryFault } from './EntryFault.tsx';
import { useKnown, useQueue } from './hooks.ts';

/** Whether this person has blocked `user`, as it will be once all that waits has left. */
export function useBlocked(user: string): boolean {
  const blocked = useKnown((state) => state.blocked.has(user));
  return pendingBlock(useQueue().entries, user) ?? blocked;
}

interface BlockButtonProps {
  name: string;
  blocked: boolean;
  press(): void;
}

export function BlockButton({ name, blocked, press }: BlockButtonProps) {
  const deed = blocked ? 'Unblock' : 'Block';
  return (
    <button
      type="button"
      className="button small block"
      aria-label={`${deed} ${name}`}
      title={`${deed} ${name}`}
      onClick={press}
    >
      {deed}
    </button>
  );
}

interface BlockDialogProps {
  name: string;
  block(): void;
  close(): void;
}

export function BlockDialog({ name, block, close }: BlockDialogProps) {
  return (
    <Dialog title={`Block ${name}?`} close={close}>
      <p className="hint">
        Neither of you can write to the other here until you unblock them. What was said stays.
      </p>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={close}>
          Cancel
        </button>
        <button type="button" className="button primary danger" onClick={block}>
          Block
        </button>
      </div>
    </Dialog>
  );
}

/** Where one would write otherwise. */
export function BlockedLine({ name, unblock }: { name: string; unblock(): void }) {
  return (
    <p className="blocked">
      <span>You have blocked {name}.</span>
      <button type="button" className="button small" aria-label={`Unblock ${name}`} onClick={unblock}>
        Unblock
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
