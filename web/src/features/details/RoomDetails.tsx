import { useState } from 'react';
import { useClient, useQueue } from '../../hooks/client.ts';
import { showPane } from '../../hooks/pane.ts';
import { hashOfRoom } from '../../hooks/route.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { CopyLink } from '../../kit/CopyLink.tsx';
import { PeopleIcon } from '../../kit/icons.tsx';
import { Name } from '../../kit/Name.tsx';
import { dateOf } from '../../kit/time.ts';
import type { RoomFacts } from '../../net/frames.ts';
import { may } from '../../net/rights.ts';
import type { AddOutcome } from '../../outbox/outbox.ts';
import { withPendingRoom } from '../../outbox/pending.ts';
import { timeOfUuid7 } from '../../outbox/uuid7.ts';
import type { Conversation } from '../../store/state.ts';
import { faultText } from '../outbox/faults.ts';
import { isWithin } from '../room/faultPlaces.ts';
import { RoomFaults } from '../room/RoomFaults.tsx';
import { RoomMark } from '../room/RoomMark.tsx';
import { kindOfRoom } from '../room/text.ts';
import { Archive } from './Archive.tsx';
import { Leave } from './Leave.tsx';
import { RoomForm } from './RoomForm.tsx';

/** What a room is, to be changed by those who may. */
export function RoomDetails({ conversation, room }: { conversation: Conversation; room: RoomFacts }) {
  const client = useClient();
  const { words, calendar } = useSpeech();
  const { common, details: said, members } = words;
  const { id, role, memberCount } = conversation;
  const [problem, setProblem] = useState<string | null>(null);
  const facts = withPendingRoom(room, useQueue().entries, id);
  const made = timeOfUuid7(id);
  const outcome = (of: AddOutcome) => setProblem('fault' in of ? faultText(of.fault, 0, common) : null);
  const describes = may(role, 'describe') && !facts.archived;
  return (
    <>
      <div className="details-head">
        <RoomMark id={id} visibility={facts.visibility} />
        <h3>
          <Name>{facts.name}</Name>
        </h3>
        <p className="hint">
          {kindOfRoom(facts, words)}
          {made !== null && ` · ${said.since(dateOf(new Date(made).toISOString(), calendar))}`}
        </p>
      </div>
      {describes ? (
        <RoomForm
          facts={facts}
          configures={may(role, 'configure')}
          save={(changes) => client.do({ kind: 'update', to: { conversation: id }, changes })}
        />
      ) : (
        <p className={facts.topic === '' ? 'hint' : 'details-topic'} dir="auto">
          {facts.topic === '' ? said.noTopic : facts.topic}
        </p>
      )}
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <RoomFaults of={(entry) => isWithin(entry, id)} />
      <button type="button" className="button with-icon" onClick={() => showPane({ name: 'members' })}>
        <PeopleIcon />
        {memberCount > 0 ? members.inRoom(memberCount) : members.title}
      </button>
      <CopyLink hash={hashOfRoom(id)} className="button with-icon wide" />
      <div className="details-end">
        {may(role, 'configure') && <Archive id={id} facts={facts} outcome={outcome} />}
        <Leave id={id} facts={facts} outcome={outcome} />
      </div>
    </>
  );
}
