import { useConversation, useKnown } from '../../hooks/client.ts';
import { hashOfRoom } from '../../hooks/route.ts';
import { useWords } from '../../i18n/speech.tsx';
import { isolate } from '../../kit/bidi.ts';
import { Name } from '../../kit/Name.tsx';
import type { RoomItem } from '../../net/frames.ts';
import { RoomMark } from '../room/RoomMark.tsx';

interface FoundRoomProps {
  room: RoomItem;
  joining: boolean;
  join(): void;
}

export function FoundRoom({ room, joining, join }: FoundRoomProps) {
  const { directory: said } = useWords();
  const { conversation: id, members, role } = room;
  // What was found may be older than what happened since in a room that one is in.
  const here = useConversation(id);
  const gone = useKnown((state) => state.gone.has(id));
  const { name, topic, visibility, archived } = here?.room ?? room;
  const mine = here?.room != null || (role !== null && !gone);
  const count = here !== undefined && here.memberCount > 0 ? here.memberCount : members;
  return (
    <li className="found-room">
      <RoomMark id={id} visibility={visibility} />
      <div className="found-text">
        <p className="found-name">
          <Name>{name}</Name>
          {archived && <span className="tag">{said.archived}</span>}
        </p>
        {topic !== '' && (
          <p className="found-topic" dir="auto">
            {topic}
          </p>
        )}
        <p className="hint">
          {said.members(count)}
          {mine && ` · ${said.youAreIn}`}
        </p>
      </div>
      {mine ? (
        <a className="button small" href={hashOfRoom(id)} aria-label={said.deedOn(said.open, isolate(name))}>
          {said.open}
        </a>
      ) : (
        // Nobody comes into an archived one.
        !archived && (
          <button
            type="button"
            className="button small primary"
            aria-label={said.deedOn(said.join, isolate(name))}
            aria-disabled={joining}
            onClick={join}
          >
            {joining ? said.joining : said.join}
          </button>
        )
      )}
    </li>
  );
}
