import { useState } from 'react';
import { countsOf } from '../outbox/pending.ts';
import { Dialog } from './Dialog.tsx';
import { waitingText } from './format.ts';
import { useQueue } from './hooks.ts';

interface LogoutDialogProps {
  logout(): Promise<void>;
  close(): void;
}

export function LogoutDialog({ logout, close }: LogoutDialogProps) {
  const { entries } = useQueue();
  const unsent = entries.length;
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  const leave = async () => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await logout();
    } catch {
      setProblem('Natter can’t be reached, so you are still logged in. Try again.');
      setBusy(false);
    }
  };

  return (
    <Dialog title="Log out?" close={close}>
      <p>
        {unsent === 0
          ? 'Your messages stay on the server.'
          : `${waitingText(countsOf(entries))} ${unsent === 1 ? 'has' : 'have'} not been sent and will be lost.`}
      </p>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <div className="dialog-actions">
        <button type="button" className="button" onClick={close}>
          Stay
        </button>
        <button type="button" className="button primary" aria-disabled={busy} onClick={() => void leave()}>
          {unsent === 0 ? 'Log out' : 'Log out and lose them'}
        </button>
      </div>
    </Dialog>
  );
}
