import { useEffect, useState, useSyncExternalStore } from 'react';
import type { Session } from '../sync/session.ts';
import { AuthPage } from './AuthPage.tsx';
import { Chat } from './Chat.tsx';
import { ClientContext, useNow } from './hooks.ts';

export function App({ session }: { session: Session }) {
  const phase = useSyncExternalStore(session.subscribe, () => session.phase);
  switch (phase.name) {
    case 'restoring':
      return (
        <Restoring retryAt={phase.retryAt} problem={phase.problem} tryNow={() => void session.restore()} />
      );
    case 'signed_out':
      return <AuthPage session={session} notice={phase.notice} />;
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
  problem: string | null;
  tryNow(): void;
}

function Restoring({ retryAt, problem, tryNow }: RestoringProps) {
  const now = useNow(retryAt !== null);
  // While an attempt runs, the trouble of the one before stays readable.
  const [lastProblem, setLastProblem] = useState(problem);
  useEffect(() => {
    if (problem !== null) setLastProblem(problem);
  }, [problem]);
  return (
    <main className="restoring">
      <h1 className="wordmark">Natter</h1>
      <p role="status">
        {lastProblem === null
          ? 'Connecting…'
          : `${lastProblem} ${
              retryAt === null
                ? 'Trying again…'
                : `Trying again in ${Math.max(1, Math.ceil((retryAt - now) / 1000))} s.`
            }`}
      </p>
      {lastProblem !== null && (
        <button type="button" className="button" onClick={tryNow}>
          Try now
        </button>
      )}
    </main>
  );
}
