import { type FormEvent, useEffect, useRef, useState } from 'react';
import type { Catalogue } from '../../i18n/en.ts';
import { useWords } from '../../i18n/speech.tsx';
import type { LoggedOut } from '../../net/codes.ts';
import { Problem } from '../../net/problem.ts';
import { MAX_DISPLAY_NAME_CHARS } from '../../net/wire/generated.ts';
import { lineFault } from '../../outbox/text.ts';
import type { Session } from '../../sync/session.ts';
import { refusalText } from '../outbox/faults.ts';
import { lengthFault } from '../settings/password.ts';
import { Looks } from './Looks.tsx';
import './auth.css';

const HANDLE = /^[a-z0-9][a-z0-9_-]{1,31}$/;

type Mode = 'login' | 'register';

export function AuthPage({ session, reason }: { session: Session; reason: LoggedOut | null }) {
  const words = useWords();
  const { auth } = words;
  const [mode, setMode] = useState<Mode>('login');
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const first = useRef<HTMLInputElement>(null);

  useEffect(() => {
    document.title = 'Natter';
    first.current?.focus();
  }, []);

  const choose = (next: Mode) => {
    setMode(next);
    setProblem(null);
    first.current?.focus();
  };

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const form = new FormData(event.currentTarget);
    const handle = String(form.get('handle') ?? '')
      .trim()
      .replace(/^@/, '')
      .toLowerCase();
    const password = String(form.get('password') ?? '');
    const displayName = String(form.get('display_name') ?? '').trim();
    const fault =
      faultOf(handle, password, auth) ??
      (mode === 'register' ? newFaultOf(password, displayName, words) : null);
    setProblem(fault);
    if (fault !== null) return;
    setBusy(true);
    try {
      await (mode === 'login'
        ? session.login(handle, password)
        : session.register(handle, password, displayName));
    } catch (error) {
      setProblem(wordsFor(error, mode, words));
      setBusy(false);
    }
  };

  return (
    <main className="auth">
      <div className="auth-card">
        <h1 className="wordmark">Natter</h1>
        <p className="auth-lead">{mode === 'login' ? auth.whatItIs : auth.pickHandle}</p>
        {reason !== null && (
          <p className="auth-notice" role="status">
            {reason.why === 'other_user' ? auth.loggedOut.otherUser(reason.user) : auth.loggedOut[reason.why]}
          </p>
        )}
        <form onSubmit={submit} aria-label={mode === 'login' ? auth.logIn : auth.createAccount} noValidate>
          <label className="field">
            <span>{auth.handle}</span>
            <input
              ref={first}
              name="handle"
              autoComplete="username"
              autoCapitalize="none"
              autoCorrect="off"
              spellCheck={false}
              maxLength={33}
              aria-describedby={mode === 'register' ? 'handle-hint' : undefined}
              required
            />
          </label>
          {mode === 'register' && (
            <>
              <p className="hint" id="handle-hint">
                {auth.handleHint}
              </p>
              <label className="field">
                <span>
                  {auth.displayName} <span className="optional">{auth.optional}</span>
                </span>
                <input
                  name="display_name"
                  autoComplete="name"
                  maxLength={MAX_DISPLAY_NAME_CHARS}
                  aria-label={auth.displayName}
                />
              </label>
            </>
          )}
          <label className="field">
            <span>{auth.password}</span>
            <input
              key={mode}
              name="password"
              type="password"
              autoComplete={mode === 'login' ? 'current-password' : 'new-password'}
              required
            />
          </label>
          {problem !== null && (
            <p className="problem" role="alert">
              {problem}
            </p>
          )}
          <button type="submit" className="button primary wide" aria-disabled={busy}>
            {mode === 'login' ? auth.logIn : auth.createAccount}
          </button>
        </form>
        <p className="auth-other">
          {mode === 'login' ? auth.newHere : auth.beenHere}{' '}
          <button
            type="button"
            className="link"
            onClick={() => choose(mode === 'login' ? 'register' : 'login')}
          >
            {mode === 'login' ? auth.createAnAccount : auth.logInInstead}
          </button>
        </p>
      </div>
      <Looks />
    </main>
  );
}

function faultOf(handle: string, password: string, words: Catalogue['auth']): string | null {
  if (handle === '') return words.enterHandle;
  if (!HANDLE.test(handle)) return words.badHandle;
  return password === '' ? words.enterPassword : null;
}

/** What a new account may not have. */
function newFaultOf(password: string, displayName: string, { auth, common }: Catalogue): string | null {
  const length = lengthFault(password);
  if (length !== null) return common.password[length];
  const bad = displayName !== '' && lineFault(displayName, MAX_DISPLAY_NAME_CHARS) !== null;
  return bad ? auth.badName : null;
}

function wordsFor(error: unknown, mode: Mode, { auth, common }: Catalogue): string {
  if (!(error instanceof Problem)) return auth.broken;
  if (error.retryAfterMs !== undefined && error.code === 'rate_limited') {
    return auth.tooManyAttempts(Math.ceil(error.retryAfterMs / 1000));
  }
  if (error.code === 'unauthenticated' && mode === 'login') return auth.noMatch;
  if (error.code === 'conflict' && mode === 'register') return auth.handleTaken;
  if (error.code === 'forbidden' && mode === 'login') return auth.suspended;
  return refusalText(error, common);
}
