import { type FormEvent, useRef, useState } from 'react';
import { useWords } from '../../i18n/speech.tsx';
import type { RoomFacts } from '../../net/frames.ts';
import { MAX_ROOM_NAME_CHARS, MAX_ROOM_TOPIC_CHARS } from '../../net/wire/generated.ts';
import type { AddOutcome } from '../../outbox/outbox.ts';
import { faultText } from '../outbox/faults.ts';
import { VisibilityChoice } from '../room/VisibilityChoice.tsx';

/** What was changed here and not saved; the rest follows what others change. */
export type RoomChanges = Partial<Pick<RoomFacts, 'name' | 'topic' | 'visibility'>>;

interface RoomFormProps {
  facts: RoomFacts;
  /** Whether this person decides who finds it. */
  configures: boolean;
  save(changes: RoomChanges): AddOutcome;
}

export function RoomForm({ facts, configures, save }: RoomFormProps) {
  const { common, details: said, room } = useWords();
  const [edits, setEdits] = useState<RoomChanges>({});
  const [problem, setProblem] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const name = edits.name ?? facts.name;
  const topic = edits.topic ?? facts.topic;
  const visibility = edits.visibility ?? facts.visibility;
  const nameless = name.trim() === '';
  const changes: RoomChanges = {
    ...(name.trim() !== facts.name && { name: name.trim() }),
    ...(topic.trim() !== facts.topic && { topic: topic.trim() }),
    ...(visibility !== facts.visibility && { visibility }),
  };
  const nothing = Object.keys(changes).length === 0;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (nothing || nameless) return;
    const outcome = save(changes);
    if ('fault' in outcome) setProblem(faultText(outcome.fault, 0, common));
    else clear();
  };
  const edit = (change: RoomChanges) => {
    setEdits({ ...edits, ...change });
    setProblem(null);
  };
  const clear = () => {
    setEdits({});
    setProblem(null);
    // The button goes, and with it the focus.
    field.current?.focus();
  };

  return (
    <form className="room-form" onSubmit={submit}>
      <label className="field">
        <span>{said.name}</span>
        <input
          ref={field}
          value={name}
          onChange={(event) => edit({ name: event.target.value })}
          aria-invalid={nameless}
          autoComplete="off"
          maxLength={MAX_ROOM_NAME_CHARS}
          dir="auto"
        />
      </label>
      {nameless && (
        <p className="problem" role="alert">
          {room.needsName}
        </p>
      )}
      <label className="field">
        <span>
          {said.topic} <span className="optional">{said.topicHint}</span>
        </span>
        <textarea
          value={topic}
          onChange={(event) => edit({ topic: event.target.value })}
          rows={3}
          maxLength={MAX_ROOM_TOPIC_CHARS}
          dir="auto"
        />
      </label>
      {configures && (
        <VisibilityChoice
          chosen={visibility}
          choose={(next) => edit({ visibility: next })}
          legend={said.whoFindsIt}
        />
      )}
      {changes.visibility !== undefined && (
        <p className="hint">{changes.visibility === 'public' ? said.becomesPublic : said.becomesPrivate}</p>
      )}
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {!nothing && (
        <div className="room-form-end">
          <button type="button" className="button" onClick={clear}>
            {common.cancel}
          </button>
          <button type="submit" className="button primary" aria-disabled={nameless}>
            {said.save}
          </button>
        </div>
      )}
    </form>
  );
}
