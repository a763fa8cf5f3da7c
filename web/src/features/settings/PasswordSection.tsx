import { type FormEvent, useRef, useState } from 'react';
import { useClient } from '../../hooks/client.ts';
import type { Catalogue } from '../../i18n/en.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Problem } from '../../net/problem.ts';
import { refusalText } from '../outbox/faults.ts';
import { PasswordField } from './PasswordField.tsx';
import { faultsOf, strengthOf, type Written } from './password.ts';
import type { settings } from './words.en.ts';

const NOTHING: Written = { current: '', next: '', again: '' };
const FIELDS = ['current', 'next', 'again'] as const;

type Words = (typeof settings)['password'];

export function PasswordSection() {
  const client = useClient();
  const { settings, common } = useWords();
  const { password: said } = settings;
  const [written, setWritten] = useState(NOTHING);
  const [faults, setFaults] = useState<Partial<Written>>({});
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const strength = strengthOf(written.next, client.me);

  const refuse = (faults: Partial<Written>) => {
    setFaults(faults);
    const first = FIELDS.find((field) => faults[field] !== undefined);
    if (first !== undefined) form.current?.querySelector<HTMLInputElement>(`[name="${first}"]`)?.focus();
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    const words = { ...said, ...common.password };
    const wrong = Object.entries(faultsOf(written)).map(([field, fault]) => [field, words[fault]]);
    setProblem(null);
    setDone(false);
    refuse(Object.fromEntries(wrong));
    if (wrong.length > 0) return;
    setBusy(true);
    try {
      await client.changePassword(written.current, written.next);
      setWritten(NOTHING);
      setDone(true);
    } catch (error) {
      if (error instanceof Problem && error.code === 'forbidden') refuse({ current: said.wrong });
      else setProblem(wordsFor(error, said, common));
    } finally {
      setBusy(false);
    }
  };

  const field = (name: keyof Written) => ({
    name,
    label: said[name],
    value: written[name],
    fault: faults[name],
    write: (text: string) => {
      setWritten((all) => ({ ...all, [name]: text }));
      setFaults((all) => ({ ...all, [name]: undefined }));
    },
  });

  return (
    <form ref={form} className="settings-form" onSubmit={submit} noValidate>
      <p className="hint">{said.lead}</p>
      {/* So that whoever keeps passwords for this person knows whose it is. */}
      <input type="text" autoComplete="username" value={client.me} readOnly hidden />
      <PasswordField {...field('current')} />
      <PasswordField {...field('next')} hint={strength === null ? undefined : said.strength[strength]} />
      <PasswordField {...field('again')} />
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <button type="submit" className="button primary" aria-disabled={busy}>
        {busy ? said.changing : said.change}
      </button>
      <p className="settings-saved" role="status">
        {done && said.changed}
      </p>
    </form>
  );
}

function wordsFor(error: unknown, said: Words, common: Catalogue['common']): string {
  if (!(error instanceof Problem)) throw error;
  if (error.retryAfterMs !== undefined && error.code === 'rate_limited')
    return said.tooOften(Math.ceil(error.retryAfterMs / 1000));
  return error.temporary ? said.notReached : refusalText(error, common);
}
