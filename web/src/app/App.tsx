import { useEffect, useState, useSyncExternalStore } from 'react';
import { AuthPage } from '../features/auth/AuthPage.tsx';
import { refusalText } from '../features/outbox/faults.ts';
import { ClientContext } from '../hooks/client.ts';
import { useNow, useOnline } from '../hooks/page.ts';
import { useWords } from '../i18n/speech.tsx';
import { later } from '../kit/later.tsx';
import type { Fault } from '../net/problem.ts';
import type { Session } from '../sync/session.ts';

/** What is needed behind the login comes beside it. */
export const Chat = later(async () => (await import('./Chat.tsx')).Chat);

export function App({ session }: { session: Session }) {
  const phase = useSyncExternalStore(session.subscribe, () => session.phase);
  switch (phase.name) {
    case 'restoring':
      return <Restoring retryAt={phase.retryAt} fault={phase.fault} tryNow={() => void session.restore()} />;
    case 'signed_out':
      return <AuthPage session={session} reason={phase.reason} />;
    case 'signed_in':
      return (
        <ClientContext value={phase.client}>
          <Chat key={phase.client.me} logout={() => session.logout()} />
        </ClientContext>
      );
  }
}

interface RestoringProps {
  retryAt: number | null;
  fault: Fault | null;
  tryNow(): void;
}

function Restoring({ retryAt, fault, tryNow }: RestoringProps) {
  const { app, common } = useWords();
  const now = useNow(retryAt !== null);
  const online = useOnline();
  // While an attempt runs, the fault of the one before stays readable.
  const [last, setLast] = useState(fault);
  useEffect(() => {
    if (fault !== null) setLast(fault);
  }, [fault]);
  const next =
    retryAt === null ? app.tryingAgain : app.tryingAgainIn(Math.max(1, Math.ceil((retryAt - now) / 1000)));
  const trouble = last === null ? app.connecting : `${refusalText(last, common)} ${next}`;
  return (
    <main className="restoring">
      <h1 className="wordmark">Natter</h1>
      <p role="status">{online ? trouble : app.offline}</p>
      {last !== null && (
        <button type="button" className="button" onClick={tryNow}>
          {common.tryNow}
        </button>
      )}
    </main>
  );
}
