import { useState } from 'react';
import { waitingText } from '../../app/banner.ts';
import { useQueue } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Dialog } from '../../kit/Dialog.tsx';
import { countsOf } from '../../outbox/pending.ts';

interface LogoutDialogProps {
  logout(): Promise<void>;
  close(): void;
}

export function LogoutDialog({ logout, close }: LogoutDialogProps) {
  const { app, auth } = useWords();
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
      setProblem(auth.stillLoggedIn);
      setBusy(false);
    }
  };

  return (
    <Dialog title={auth.logOutTitle} close={close}>
      <p>{unsent === 0 ? auth.messagesStay : auth.willBeLost(waitingText(countsOf(entries), app), unsent)}</p>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <div className="dialog-actions">
        <button type="button" className="button" onClick={close}>
          {auth.stay}
        </button>
        <button type="button" className="button primary" aria-disabled={busy} onClick={() => void leave()}>
          {unsent === 0 ? auth.logOut : auth.logOutAndLose(unsent)}
        </button>
      </div>
    </Dialog>
  );
}
