import { type FormEvent, useEffect, useId, useState } from 'react';
import { useClient, useKnown, useQueue } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { MAX_DISPLAY_NAME_CHARS } from '../../net/wire/generated.ts';
import { pendingName } from '../../outbox/pending.ts';
import { EntryFault } from '../outbox/EntryFault.tsx';
import { Saved } from './Saved.tsx';

export function NameForm() {
  const client = useClient();
  const { profile: said } = useWords().settings;
  const { entries } = useQueue();
  const known = useKnown((state) => state.names.get(client.me)) ?? '';
  const now = pendingName(entries) ?? (known === client.me ? '' : known);
  const [written, setWritten] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [saves, setSaves] = useState(0);
  const note = useId();

  useEffect(() => {
    const gone = new AbortController();
    void client.meetMyself(gone.signal);
    return () => gone.abort();
  }, [client]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const outcome = client.do({ kind: 'profile', displayName: (written ?? now).trim() });
    if ('fault' in outcome) {
      setFault(outcome.fault === 'too_long' ? said.tooLong(MAX_DISPLAY_NAME_CHARS) : said.notAName);
      return;
    }
    setFault(null);
    setWritten(null);
    setSaves((n) => n + 1);
  };

  return (
    <form className="settings-form" onSubmit={submit}>
      <div className="settings-field">
        <label className="field">
          <span>{said.displayName}</span>
          <input
            value={written ?? now}
            onChange={(event) => setWritten(event.target.value)}
            autoComplete="name"
            dir="auto"
            placeholder={client.me}
            aria-invalid={fault !== null}
            aria-describedby={note}
          />
        </label>
        <p id={note} className={fault === null ? 'hint' : 'settings-fault'}>
          {fault ?? said.handleStays(client.me)}
        </p>
      </div>
      <button type="submit" className="button primary">
        {said.saveName}
      </button>
      {entries
        .filter(({ kind, status }) => kind === 'profile' && status === 'failed')
        .map((entry) => (
          <EntryFault key={entry.id} entry={entry} />
        ))}
      <Saved times={saves} />
    </form>
  );
}
