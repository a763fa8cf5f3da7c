import { type FormEvent, useCallback, useState } from 'react';
import { useClient, useKnown } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { isolate } from '../../kit/bidi.ts';
import { Dialog } from '../../kit/Dialog.tsx';
import { MAX_FIRST_MEMBERS } from '../../net/wire/generated.ts';
import { faultText } from '../outbox/faults.ts';
import { PeoplePicker } from '../people/PeoplePicker.tsx';

interface AddPeopleProps {
  conversation: string;
  name: string;
  close(): void;
}

/** Brings several people into a room: each is a command of its own, and says by itself what became of it. */
export function AddPeople({ conversation, name, close }: AddPeopleProps) {
  const client = useClient();
  const { common, members: said } = useWords();
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const people = useKnown((state) => state.members?.people);
  const whyNot = useCallback((user: string) => (people?.has(user) ? said.isHere : null), [people, said]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    for (const [index, user] of chosen.entries()) {
      const outcome = client.do({ kind: 'add', to: { conversation }, user });
      if ('fault' in outcome) {
        setChosen(chosen.slice(index));
        setProblem(faultText(outcome.fault, 0, common));
        return;
      }
    }
    if (chosen.length > 0) close();
  };

  return (
    <Dialog title={said.addTo(isolate(name))} close={close}>
      <form onSubmit={submit}>
        <PeoplePicker chosen={chosen} choose={setChosen} whyNot={whyNot} most={MAX_FIRST_MEMBERS} />
        {problem !== null && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={close}>
            {common.cancel}
          </button>
          <button type="submit" className="button primary" aria-disabled={chosen.length === 0}>
            {said.addDeed(chosen.length)}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
