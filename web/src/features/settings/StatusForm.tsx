import { type FormEvent, useId, useState, useSyncExternalStore } from 'react';
import { useClient } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import type { PresenceChoice } from '../../net/frames.ts';
import { MAX_STATUS_CHARS } from '../../net/wire/generated.ts';
import type { Status } from '../../sync/status.ts';
import { Choices } from './Choices.tsx';
import { Saved } from './Saved.tsx';

const CHOICES: readonly PresenceChoice[] = ['online', 'away', 'busy', 'invisible'];

export function StatusForm() {
  const { status } = useClient();
  const { profile: said } = useWords().settings;
  const chosen = useSyncExternalStore(status.subscribe, () => status.chosen);
  const [written, setWritten] = useState<string | null>(null);
  const [faulty, setFaulty] = useState(false);
  const [saves, setSaves] = useState(0);
  const note = useId();

  const choose = (to: Partial<Status>): boolean => {
    const fault = status.choose({ ...chosen, ...to });
    setFaulty(fault !== null);
    if (fault === null) setSaves((n) => n + 1);
    return fault === null;
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (choose({ text: (written ?? chosen.text).trim() })) setWritten(null);
  };

  return (
    <form className="settings-form" onSubmit={submit}>
      <Choices
        title={said.status}
        values={CHOICES}
        chosen={chosen.status}
        choose={(to) => choose({ status: to })}
        label={(value) => (
          <>
            {said.statuses[value]}{' '}
            {value === 'invisible' && <span className="hint">{said.invisibleMeans}</span>}
          </>
        )}
      />
      <label className="field">
        <span>{said.statusText}</span>
        <input
          value={written ?? chosen.text}
          onChange={(event) => setWritten(event.target.value)}
          maxLength={MAX_STATUS_CHARS}
          placeholder={said.statusExample}
          autoComplete="off"
          dir="auto"
          aria-invalid={faulty}
          aria-describedby={note}
        />
      </label>
      <p id={note} className={faulty ? 'settings-fault' : 'hint'}>
        {faulty ? said.notAStatus : said.statusMeans}
      </p>
      <button type="submit" className="button primary">
        {said.saveStatus}
      </button>
      <Saved times={saves} />
    </form>
  );
}
