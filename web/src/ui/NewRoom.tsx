import { type FormEvent, useEffect, useRef, useState } from 'react';
import type { Visibility } from '../net/frames.ts';
import { Dialog } from './Dialog.tsx';
import { EntryFault } from './EntryFault.tsx';
import { useClient } from './hooks.ts';
import { useEnter } from './useEnter.ts';

const MAX_NAME = 80;
const KINDS: readonly (readonly [visibility: Visibility, name: string, means: string])[] = [
  ['public', 'Public', 'Anybody finds it and joins.'],
  ['private', 'Private', 'Only those who are added see it.'],
];

export function NewRoom({ close }: { close(): void }) {
  const client = useClient();
  const [name, setName] = useState('');
  const [visibility, setVisibility] = useState<Visibility>('public');
  const [empty, setEmpty] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const { entry, problem, begin } = useEnter(close);
  const making = entry !== undefined && entry.status !== 'failed';

  useEffect(() => field.current?.focus(), []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (making) return;
    const called = name.trim();
    setEmpty(called === '');
    if (called !== '') begin(client.createRoom(called, visibility));
  };

  return (
    <Dialog title="New room" close={close}>
      <form className="new-room" onSubmit={submit}>
        <label className="field">
          <span>Name</span>
          <input
            ref={field}
            value={name}
            onChange={(event) => setName(event.target.value)}
            autoComplete="off"
            maxLength={MAX_NAME}
            dir="auto"
          />
        </label>
        <fieldset className="choices">
          <legend>Who finds it</legend>
          {KINDS.map(([kind, called, means]) => (
            <label key={kind} className="choice">
              <input
                type="radio"
                name="visibility"
                checked={visibility === kind}
                onChange={() => setVisibility(kind)}
              />
              <span>
                {called} <span className="hint">{means}</span>
              </span>
            </label>
          ))}
        </fieldset>
        {(empty || problem !== null) && (
          <p className="problem" role="alert">
            {problem ?? 'A room needs a name.'}
          </p>
        )}
        {entry?.status === 'failed' && <EntryFault entry={entry} />}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="button primary" aria-disabled={making}>
            {making ? 'Making it…' : 'Make it'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
