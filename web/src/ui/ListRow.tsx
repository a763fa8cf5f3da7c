import { memo } from 'react';
import { mentionCount, unreadCount } from '../store/conversation.ts';
import { Avatar } from './Avatar.tsx';
import { hereAndNow, kindOfRoom, shortTime, titleOf } from './format.ts';
import { hashOfKey, useClient, useKnown, useNow } from './hooks.ts';
import { RoomMark } from './RoomMark.tsx';
import type { Row } from './rows.ts';

export const ListRow = memo(function ListRow({ row, current }: { row: Row; current: boolean }) {
  const { me } = useClient();
  const names = useKnown((state) => state.names);
  const [first = me] = row.others;
  const presence = useKnown((state) => (row.others.length === 1 ? state.presence.get(first) : undefined));
  const now = useNow(false);
  const room = row.conversation?.room ?? null;
  const title = room?.name ?? titleOf(row.others, names);
  const unread = row.conversation === null ? 0 : unreadCount(row.conversation, me);
  const mentions = row.conversation === null ? 0 : mentionCount(row.conversation, me);
  const muted = row.conversation?.muted === true;
  const last = row.conversation?.messages.at(-1);
  // Among others (CMD7). Between the two of them there is nothing new, and what there is can be read.
  const among = room !== null || row.others.length > 1;
  const folded = useKnown((state) => among && last !== undefined && state.blocked.has(last.sender));
  const online = presence !== undefined && presence.status !== 'offline';
  return (
    <li>
      <a
        className={current ? 'row row-current' : 'row'}
        href={hashOfKey(row.key, me)}
        aria-current={current ? 'true' : undefined}
      >
        {row.conversation !== null && room !== null ? (
          <RoomMark id={row.conversation.id} visibility={room.visibility} />
        ) : (
          <Avatar handle={first} name={title} presence={presence?.status} />
        )}
        <span className="row-text">
          <span className="row-top">
            <span className="row-title" dir="auto">
              {title}
            </span>
            {room !== null && <span className="visually-hidden">({kindOfRoom(room)})</span>}
            {online && <span className="visually-hidden">({presence.status})</span>}
            <time className="row-time" dateTime={row.activity}>
              {shortTime(row.activity, now, hereAndNow)}
            </time>
          </span>
          <span className="row-bottom">
            <span className="row-last">
              {row.waiting !== undefined ? (
                <>
                  <span className={row.waiting.status === 'failed' ? 'row-failed' : 'row-waiting'}>
                    {row.waiting.status === 'failed' ? 'Not sent: ' : 'Waiting: '}
                  </span>
                  {row.waiting.text}
                </>
              ) : (
                <>
                  {last !== undefined && last.sender === me && 'You: '}
                  {last !== undefined && last.sender !== me && room !== null && (
                    <>{names.get(last.sender) ?? last.sender}: </>
                  )}
                  {folded ? '(blocked)' : last?.deleted === true ? 'Message deleted' : last?.text}
                </>
              )}
            </span>
            {mentions > 0 && (
              <span className="badge badge-mention">
                @{atMost(mentions)}
                <span className="visually-hidden"> {mentions === 1 ? 'mention' : 'mentions'} of you</span>
              </span>
            )}
            {unread > 0 && (
              <span className={muted ? 'badge badge-muted' : 'badge'}>
                {atMost(unread)}
                <span className="visually-hidden"> unread</span>
              </span>
            )}
          </span>
        </span>
      </a>
    </li>
  );
});

function atMost(n: number): string {
  return n > 999 ? '999+' : String(n);
}
