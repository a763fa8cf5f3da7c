import { type FormEvent, useEffect, useRef, useState } from 'react';
import { Problem } from '../net/problem.ts';
import type { Session } from '../sync/session.ts';
import { counted } from './format.ts';
import './auth.css';

const HANDLE = /^[a-z0-9][a-z0-9_-]{1,31}$/;

type Mode = 'login' | 'register';

export function AuthPage({ session, notice }: { session: Session; notice: string | null }) {
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
    const fault = faultOf(handle, password);
    setProblem(fault);
    if (fault !== null) return;
    setBusy(true);
    try {
      await (mode === 'login'
        ? session.login(handle, password)
        : session.register(handle, password, displayName));
    } catch (error) {
      setProblem(wordsFor(error, mode));
      setBusy(false);
    }
  };

  return (
    <main className="auth">
      <div className="auth-card">
        <h1 className="wordmark">Natter</h1>
        <p className="auth-lead">{mode === 'login' ? 'Welcome back.' : 'Pick a handle and start talking.'}</p>
        {notice !== null && (
          <p className="auth-notice" role="status">
            {notice}
          </p>
        )}
        <form onSubmit={submit} aria-label={mode === 'login' ? 'Log in' : 'Create account'} noValidate>
          <label className="field">
            <span>Handle</span>
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
                a–z, 0–9, - and _. Others find you by it.
              </p>
              <label className="field">
                <span>
                  Display name <span className="optional">optional</span>
                </span>
                <input name="display_name" autoComplete="name" maxLength={64} aria-label="Display name" />
              </label>
            </>
          )}
          <label className="field">
            <span>Password</span>
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
            {mode === 'login' ? 'Log in' : 'Create account'}
          </button>
        </form>
        <p className="auth-other">
          {mode === 'login' ? 'New here?' : 'Been here before?'}{' '}
          <button
            type="button"
            className="link"
            onClick={() => choose(mode === 'login' ? 'register' : 'login')}
          >
            {mode === 'login' ? 'Create an account' : 'Log in instead'}
          </button>
        </p>
      </div>
    </main>
  );
}

function faultOf(handle: string, password: string): string | null {
  if (handle === '') return 'Enter your handle.';
  if (!HANDLE.test(handle)) {
    return 'A handle is 2 to 32 characters of a–z, 0–9, - and _, and starts with a letter or a digit.';
  }
  return password === '' ? 'Enter your password.' : null;
}

function wordsFor(error: unknown, mode: Mode): string {
  if (!(error instanceof Problem)) return 'Something went wrong in this page. Reload it and try again.';
  if (error.retryAfterMs !== undefined && error.code === 'rate_limited') {
    return `Too many attempts. Try again in ${counted(Math.ceil(error.retryAfterMs / 1000), 'second', 'seconds')}.`;
  }
  if (error.code === 'unauthenticated' && mode === 'login') return 'Handle and password don’t match.';
  if (error.code === 'conflict' && mode === 'register') return 'That handle is taken. Pick another one.';
  return error.message;
}
