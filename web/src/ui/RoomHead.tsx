import { useState } from 'react';
import type { RoomFacts } from '../net/frames.ts';
import type { AddOutcome } from '../outbox/outbox.ts';
import { isOfRoom } from '../outbox/pending.ts';
import { BackLink } from './BackLink.tsx';
import { Dialog } from './Dialog.tsx';
import { kindOfRoom } from './format.ts';
import { useClient, useQueue } from './hooks.ts';
import { RoomMark } from './RoomMark.tsx';

interface RoomHeadProps {
  id: string;
  room: RoomFacts;
  /** What became of the wish to leave. */
  outcome(of: AddOutcome): void;
}

export function RoomHead({ id, room, outcome }: RoomHeadProps) {
  const client = useClient();
  const [asking, setAsking] = useState(false);
  const leaving = useQueue().entries.some(
    (entry) =>
      isOfRoom(entry) && entry.kind === 'leave' && entry.to.conversation === id && entry.status !== 'failed',
  );
  const leave = () => {
    setAsking(false);
    outcome(client.leaveRoom(id, room.name));
  };
  return (
    <header className="conversation-head">
      <BackLink />
      <RoomMark id={id} visibility={room.visibility} />
      <div className="conversation-who">
        <h2 dir="auto" title={room.name}>
          {room.name}
        </h2>
        <p className="conversation-sub" title={room.topic}>
          {kindOfRoom(room)}
          {room.topic !== '' && <span dir="auto"> · {room.topic}</span>}
        </p>
      </div>
      <button
        type="button"
        className="button small head-action"
        aria-label={`Leave ${room.name}`}
        aria-disabled={leaving}
        onClick={() => !leaving && setAsking(true)}
      >
        {leaving ? 'Leaving…' : 'Leave'}
      </button>
      {asking && <LeaveDialog room={room} leave={leave} close={() => setAsking(false)} />}
    </header>
  );
}

function LeaveDialog({ room, leave, close }: { room: RoomFacts; leave(): void; close(): void }) {
  return (
    <Dialog title={`Leave ${room.name}?`} close={close}>
      <p className="hint">
        {room.visibility === 'public'
          ? 'You can join it again whenever you want to.'
          : 'To come back, somebody in it has to add you.'}
      </p>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={close}>
          Stay
        </button>
        <button type="button" className="button primary danger" onClick={leave}>
          Leave
        </button>
      </div>
    </Dialog>
  );
}
