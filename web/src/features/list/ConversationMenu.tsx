/** What can be done to a conversation as a whole: the same beside its row and in its head. */
import type { ReactNode, RefObject } from 'react';
import type { PaneWay } from '../../app/HeadPane.tsx';
import { useClient, useQueue } from '../../hooks/client.ts';
import { showPane } from '../../hooks/pane.ts';
import { hashOf } from '../../hooks/route.ts';
import { useWords } from '../../i18n/speech.tsx';
import { CopyLink } from '../../kit/CopyLink.tsx';
import { BellIcon, HideIcon, MutedIcon, StarIcon, TickIcon } from '../../kit/icons.tsx';
import { Popover } from '../../kit/Popover.tsx';
import type { CommandOf } from '../../outbox/commands/commands.ts';
import { pendingPreferences } from '../../outbox/pending.ts';
import type { Conversation } from '../../store/state.ts';
import { unreadCount } from '../../store/unread.ts';

const LEVELS = ['all', 'mentions', 'nothing'] as const;
type Preferences = CommandOf<'conversation'>['preferences'];

interface ConversationMenuProps {
  anchor: RefObject<HTMLElement | null>;
  /** Undefined before anything was said in it. */
  conversation: Conversation | undefined;
  title: string;
  /** What can be opened beside it and is offered nowhere else. */
  ways?: readonly PaneWay[];
  close(): void;
}

export function ConversationMenu({ anchor, conversation, title, ways = [], close }: ConversationMenuProps) {
  const { list } = useWords();
  const closeFirst = () => {
    close();
    // Before the panel goes, and with it the focus.
    anchor.current?.focus();
  };
  return (
    <Popover anchor={anchor} name={list.optionsOf(title)} close={close}>
      {ways.length > 0 && (
        <div className="menu-ways">
          {ways.map(({ pane, name, icon }) => (
            <Item
              key={pane.name}
              icon={icon}
              run={() => {
                closeFirst();
                showPane(pane);
              }}
            >
              {name}
            </Item>
          ))}
        </div>
      )}
      {conversation !== undefined && <Options conversation={conversation} closeFirst={closeFirst} />}
    </Popover>
  );
}

function Options({ conversation, closeFirst }: { conversation: Conversation; closeFirst(): void }) {
  const client = useClient();
  const { list } = useWords();
  const pending = pendingPreferences(useQueue().entries, conversation.id);
  const { starred, muted, hidden, notify: level } = pending ?? conversation.preferences;
  const notify = LEVELS.find((known) => known === level) ?? 'all';
  const { id, kind, last } = conversation;
  const of = kind === 'room' ? { room: id } : { id };

  const prefer = (change: Partial<Preferences>) => {
    closeFirst();
    const to = { conversation: conversation.id };
    client.do({ kind: 'prefer', to, preferences: { starred, muted, hidden, notify, ...change } });
  };
  return (
    <>
      <Item icon={<StarIcon />} run={() => prefer({ starred: !starred })}>
        {starred ? list.unstar : list.star}
      </Item>
      <Item icon={muted ? <BellIcon /> : <MutedIcon />} run={() => prefer({ muted: !muted })}>
        {muted ? list.unmute : list.mute}
      </Item>
      <Item icon={<HideIcon />} run={() => prefer({ hidden: !hidden })}>
        {hidden ? list.unhide : list.hide}
      </Item>
      {last !== null && unreadCount(conversation, client.me) > 0 && (
        <Item
          icon={<TickIcon />}
          run={() => {
            closeFirst();
            client.markRead(conversation.id, last.seq);
          }}
        >
          {list.markRead}
        </Item>
      )}
      {/* A room's link leads others to it, too; that of a direct conversation those who are in it. */}
      <CopyLink hash={hashOf({ page: 'conversation', of, at: null, pane: null })} className="menu-item" />
      <fieldset className="menu-group">
        <legend>{list.notifyAbout}</legend>
        {LEVELS.map((level) => (
          <button
            key={level}
            type="button"
            className="menu-item"
            aria-pressed={level === notify}
            onClick={() => prefer({ notify: level })}
          >
            <span className="menu-tick">{level === notify && <TickIcon />}</span>
            {list.notify[level]}
          </button>
        ))}
      </fieldset>
    </>
  );
}

function Item({ icon, run, children }: { icon: ReactNode; run(): void; children: string }) {
  return (
    <button type="button" className="menu-item" onClick={run}>
      {icon}
      {children}
    </button>
  );
}
