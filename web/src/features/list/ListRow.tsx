import { type MouseEvent, memo, type PointerEvent, useRef, useState } from 'react';
import { useClient, useKnown, useTold } from '../../hooks/client.ts';
import { hashOfKey } from '../../hooks/route.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { Avatar } from '../../kit/Avatar.tsx';
import { isolate } from '../../kit/bidi.ts';
import { MoreIcon, MutedIcon } from '../../kit/icons.tsx';
import { nameOf, titleOf } from '../../kit/people.ts';
import { focusConversation } from '../../kit/places.ts';
import { shortTime } from '../../kit/time.ts';
import { useDraft } from '../composer/useDraft.ts';
import { plain } from '../message/text/plain.ts';
import { RoomMark } from '../room/RoomMark.tsx';
import { kindOfRoom } from '../room/text.ts';
import { Mentions, Unread } from './Badges.tsx';
import { ConversationMenu } from './menu.ts';
import type { Row } from './rows.ts';
import { mentionsIn, unreadIn } from './sections.ts';

/** A touch of so long that stays in its place asks for the menu. */
const LONG_PRESS_MS = 500;
const SAME_PLACE_PX = 10;

export const ListRow = memo(function ListRow({ row, current }: { row: Row; current: boolean }) {
  const { me } = useClient();
  const { words, calendar } = useSpeech();
  const { common, list } = words;
  const names = useKnown((state) => state.names);
  const [first = me] = row.others;
  const presence = useKnown((state) => (row.others.length === 1 ? state.presence.get(first) : undefined));
  const time = useTold((now) => shortTime(row.activity, now, calendar));
  const room = row.conversation?.room ?? null;
  const title = room === null ? titleOf(row.others, names, common.people) : isolate(room.name);
  const unread = unreadIn(row, me);
  const mentions = mentionsIn(row, me);
  const { muted } = row.preferences;
  const last = row.conversation?.last ?? undefined;
  // Among others (CMD7). Between the two of them there is nothing new, and what there is can be read.
  const among = room !== null || row.others.length > 1;
  const folded = useKnown((state) => among && last !== undefined && state.blocked.has(last.sender));
  const draft = useDraft(row.key)?.text.trim() ?? '';
  const online = presence !== undefined && presence.status !== 'offline';
  const [menu, setMenu] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const pressing = useLongPress(() => setMenu(true));
  const asked = (event: MouseEvent) => {
    // With Shift one gets the browser's own menu.
    if (row.conversation === null || event.shiftKey) return;
    event.preventDefault();
    setMenu(true);
  };
  const classes = ['row', current && 'row-current', muted && 'row-muted'];
  return (
    <div className="row-place">
      <a
        className={classes.filter((one) => one !== false).join(' ')}
        href={hashOfKey(row.key, me)}
        aria-current={current ? 'true' : undefined}
        data-row={row.key}
        {...pressing}
        onContextMenu={asked}
        onClick={(event) => {
          pressing.onClick(event);
          // It is open already, so nothing else moves the focus there.
          if (current && !event.defaultPrevented) focusConversation();
        }}
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
            {room !== null && <span className="visually-hidden">({kindOfRoom(room, words)})</span>}
            {online && <span className="visually-hidden">({common.people.presence[presence.status]})</span>}
            {muted && (
              <span className="row-sign" title={list.muted}>
                <MutedIcon />
                <span className="visually-hidden">({list.muted})</span>
              </span>
            )}
            <time className="row-time" dateTime={row.activity}>
              {time}
            </time>
          </span>
          <span className="row-bottom">
            <span className="row-last">
              {row.waiting !== undefined ? (
                <>
                  <span className={row.waiting.status === 'failed' ? 'row-failed' : 'row-waiting'}>
                    {row.waiting.status === 'failed' ? list.notSent : list.waiting}
                  </span>{' '}
                  {plain(row.waiting.text)}
                </>
              ) : draft !== '' && !current ? (
                <>
                  <span className="row-draft">{list.draft}</span> {draft}
                </>
              ) : (
                <>
                  {last !== undefined && last.sender === me && `${list.you} `}
                  {last !== undefined && last.sender !== me && room !== null && (
                    <>{nameOf(last.sender, names, common.people)}: </>
                  )}
                  {folded
                    ? list.blocked
                    : last?.deleted === true
                      ? list.deleted
                      : last !== undefined && plain(last.text)}
                </>
              )}
            </span>
            {mentions > 0 && <Mentions count={mentions} />}
            {unread > 0 && <Unread count={unread} muted={muted} />}
          </span>
        </span>
      </a>
      {row.conversation !== null && (
        <button
          ref={opener}
          type="button"
          className="icon-button row-more"
          aria-label={list.optionsOf(title)}
          title={list.options}
          onPointerEnter={ConversationMenu.fetch}
          onFocus={ConversationMenu.fetch}
          aria-expanded={menu}
          data-row-menu={row.key}
          onClick={() => setMenu(!menu)}
        >
          <MoreIcon />
        </button>
      )}
      {menu && row.conversation !== null && (
        <ConversationMenu
          anchor={opener}
          conversation={row.conversation}
          title={title}
          close={() => setMenu(false)}
        />
      )}
    </div>
  );
});

/** Where the browser does not make a context menu of it. It opens when the finger is lifted: that would close it again. */
function useLongPress(open: () => void) {
  const down = useRef<{ at: number; x: number; y: number } | null>(null);
  const pressed = useRef(false);
  return {
    onPointerDown: ({ pointerType, clientX, clientY, timeStamp }: PointerEvent) => {
      pressed.current = false;
      down.current = pointerType === 'touch' ? { at: timeStamp, x: clientX, y: clientY } : null;
    },
    onPointerCancel: () => {
      down.current = null;
    },
    onPointerUp: ({ clientX, clientY, timeStamp }: PointerEvent) => {
      const from = down.current;
      down.current = null;
      if (from === null || timeStamp - from.at < LONG_PRESS_MS) return;
      if (Math.hypot(clientX - from.x, clientY - from.y) > SAME_PLACE_PX) return;
      pressed.current = true;
      setTimeout(open);
    },
    onClick: (event: MouseEvent) => {
      if (pressed.current) event.preventDefault();
      pressed.current = false;
    },
  };
}
