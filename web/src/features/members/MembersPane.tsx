/** Who is in the open conversation, beside it. */
import { useMemo } from 'react';
import { SidePane } from '../../app/SidePane.tsx';
import { useClient } from '../../hooks/client.ts';
import { closePane } from '../../hooks/pane.ts';
import { useBeside } from '../../hooks/useBeside.ts';
import { useWords } from '../../i18n/speech.tsx';
import { peopleOfKey, roomOfKey } from '../../store/state.ts';
import { MemberRow } from './MemberRow.tsx';
import { RoomPeople } from './RoomPeople.tsx';
import { useMention } from './useMention.ts';
import './members.css';

export function MembersPane({ conversationKey }: { conversationKey: string }) {
  const { members } = useWords();
  const room = roomOfKey(conversationKey);
  return (
    <SidePane title={members.title} close={closePane}>
      {room === null ? <DirectPeople conversationKey={conversationKey} /> : <RoomPeople id={room} />}
    </SidePane>
  );
}

/** Those of a direct conversation are the same for ever. */
function DirectPeople({ conversationKey }: { conversationKey: string }) {
  const { me } = useClient();
  const { members } = useWords();
  const mention = useMention(conversationKey);
  const people = useMemo(() => peopleOfKey(conversationKey), [conversationKey]);
  useBeside(people);
  return (
    <div className="side-pane-body">
      <ul className="members" aria-label={members.conversation}>
        {people.map((user) => (
          <MemberRow
            key={user}
            user={user}
            deeds={[]}
            isMe={user === me}
            pending={false}
            mention={mention}
            run={() => {}}
          />
        ))}
      </ul>
    </div>
  );
}
