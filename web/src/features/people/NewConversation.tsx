import { type FormEvent, useState } from 'react';
import { useClient } from '../../hooks/client.ts';
import { hashOfPeople, navigate } from '../../hooks/route.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Dialog } from '../../kit/Dialog.tsx';
import { MAX_PARTICIPANTS } from '../../net/wire/generated.ts';
import { PeoplePicker } from './PeoplePicker.tsx';

/** A conversation with one person or several; with nobody but oneself it is for notes. */
export function NewConversation({ close }: { close(): void }) {
  const { me } = useClient();
  const { common, people: said } = useWords();
  const [chosen, setChosen] = useState<readonly string[]>([]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (chosen.length === 0) return;
    const others = chosen.filter((user) => user !== me);
    navigate(hashOfPeople(others.length === 0 ? [me] : others));
    close();
  };

  return (
    <Dialog title={said.newConversation} close={close}>
      <form onSubmit={submit}>
        <PeoplePicker chosen={chosen} choose={setChosen} most={MAX_PARTICIPANTS - 1} />
        {chosen.length > 1 && <p className="hint">{said.groupMeans}</p>}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={close}>
            {common.cancel}
          </button>
          <button type="submit" className="button primary" aria-disabled={chosen.length === 0}>
            {said.talk(chosen.length)}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
