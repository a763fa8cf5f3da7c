import { BackLink } from '../../app/BackLink.tsx';
import { HeadPanes } from '../../app/HeadPanes.tsx';
import { useWords } from '../../i18n/speech.tsx';
import { isolate, untwisted } from '../../kit/bidi.ts';
import { InfoIcon, PeopleIcon } from '../../kit/icons.tsx';
import { Name } from '../../kit/Name.tsx';
import type { RoomFacts } from '../../net/frames.ts';
import { roomKey } from '../../store/state.ts';
import { RoomMark } from './RoomMark.tsx';
import { kindOfRoom } from './text.ts';

interface RoomHeadProps {
  id: string;
  room: RoomFacts;
  /** How many people are in it; 0 where that is not known yet. */
  memberCount: number;
}

export function RoomHead({ id, room, memberCount }: RoomHeadProps) {
  const words = useWords();
  const { details, members } = words;
  return (
    <header className="conversation-head">
      <BackLink />
      <RoomMark id={id} visibility={room.visibility} />
      <div className="conversation-who">
        <h2 dir="auto" title={isolate(room.name)}>
          <Name>{room.name}</Name>
        </h2>
        <p className="conversation-sub" title={untwisted(room.topic)}>
          {kindOfRoom(room, words)}
          {room.topic !== '' && <span dir="auto"> · {room.topic}</span>}
        </p>
      </div>
      <HeadPanes
        conversationKey={roomKey(id)}
        title={isolate(room.name)}
        ways={[
          {
            pane: { name: 'members' },
            name: memberCount > 0 ? members.show(memberCount) : members.title,
            icon: <PeopleIcon />,
            count: memberCount > 0 ? memberCount : undefined,
          },
          { pane: { name: 'details' }, name: details.title, icon: <InfoIcon /> },
        ]}
      />
    </header>
  );
}
