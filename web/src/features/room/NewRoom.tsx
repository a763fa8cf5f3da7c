import { type FormEvent, useEffect, useRef, useState } from 'react';
import { useClient } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Dialog } from '../../kit/Dialog.tsx';
import type { Visibility } from '../../net/frames.ts';
import { MAX_FIRST_MEMBERS, MAX_ROOM_NAME_CHARS, MAX_ROOM_TOPIC_CHARS } from '../../net/wire/generated.ts';
import { EntryFault } from '../outbox/EntryFault.tsx';
import { PeoplePicker } from '../people/PeoplePicker.tsx';
import { useEnter } from './useEnter.ts';
import { VisibilityChoice } from './VisibilityChoice.tsx';

export function NewRoom({ close }: { close(): void }) {
  const client = useClient();
  const { common, details, room } = useWords();
  const [name, setName] = useState('');
  const [topic, setTopic] = useState('');
  const [visibility, setVisibility] = useState<Visibility>('public');
  const [people, setPeople] = useState<readonly string[]>([]);
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
    if (called === '') {
      field.current?.focus();
      return;
    }
    const purpose = topic.trim();
    begin(
      client.do({
        ...{ kind: 'create', name: called, visibility },
        ...(purpose !== '' && { topic: purpose }),
        ...(people.length > 0 && { members: people.filter((user) => user !== client.me) }),
      }),
    );
  };

  return (
    <Dialog title={room.newRoom} close={close}>
      <form className="new-room" onSubmit={submit}>
        <label className="field">
          <span>{room.name}</span>
          <input
            ref={field}
            value={name}
            onChange={(event) => setName(event.target.value)}
            aria-invalid={empty}
            autoComplete="off"
            maxLength={MAX_ROOM_NAME_CHARS}
            dir="auto"
          />
        </label>
        <label className="field">
          <span>
            {details.topic} <span className="optional">{room.optional}</span>
          </span>
          <input
            value={topic}
            onChange={(event) => setTopic(event.target.value)}
            placeholder={details.topicHint}
            autoComplete="off"
            maxLength={MAX_ROOM_TOPIC_CHARS}
            dir="auto"
          />
        </label>
        <VisibilityChoice chosen={visibility} choose={setVisibility} legend={room.whoFindsIt} />
        <fieldset className="choices">
          <legend>
            {room.whoComes} <span className="optional">{room.optional}</span>
          </legend>
          <PeoplePicker chosen={people} choose={setPeople} most={MAX_FIRST_MEMBERS} later />
        </fieldset>
        {(empty || problem !== null) && (
          <p className="problem" role="alert">
            {problem ?? room.needsName}
          </p>
        )}
        {entry?.status === 'failed' && <EntryFault entry={entry} />}
        <div className="dialog-actions">
          <button type="button" className="button" onClick={close}>
            {common.cancel}
          </button>
          <button type="submit" className="button primary" aria-disabled={making}>
            {making ? room.making : room.make}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
