import { useCallback, useRef, useState } from 'react';
import { showPane } from '../../hooks/pane.ts';
import { hashOfPeople, navigate } from '../../hooks/route.ts';
import { useWords } from '../../i18n/speech.tsx';
import { isolate } from '../../kit/bidi.ts';
import { MoreIcon } from '../../kit/icons.tsx';
import { Popover } from '../../kit/Popover.tsx';
import type { MemberDeed } from './deeds.ts';

interface MemberMenuProps {
  user: string;
  name: string;
  isMe: boolean;
  deeds: readonly MemberDeed[];
  /** Something is being done: it stays where it is, for it may have the focus. */
  pending: boolean;
  /** Puts them into what is being written; absent where nothing can be. */
  mention?: (() => void) | undefined;
  run(deed: MemberDeed): void;
}

/** One button beside somebody, and behind it all that can be done with them. */
export function MemberMenu({ user, name, isMe, deeds, pending, mention, run }: MemberMenuProps) {
  const { members: said } = useWords();
  const actions = said.actionsOn(isolate(name));
  const [open, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const close = useCallback(() => setOpen(false), []);
  const then = (action: () => void) => () => {
    setOpen(false);
    // Before the panel goes, and with it the focus.
    opener.current?.focus();
    action();
  };
  return (
    <>
      <button
        ref={opener}
        type="button"
        className="icon-button"
        aria-label={actions}
        title={actions}
        aria-expanded={open}
        aria-disabled={pending}
        onClick={() => setOpen(!open && !pending)}
      >
        <MoreIcon />
      </button>
      {open && (
        <Popover anchor={opener} name={actions} close={close}>
          <button
            type="button"
            className="menu-item"
            onClick={then(() => showPane({ name: 'person', handle: user }))}
          >
            {said.profile}
          </button>
          {!isMe && (
            <button
              type="button"
              className="menu-item"
              onClick={then(() => {
                navigate(hashOfPeople([user]));
              })}
            >
              {said.message}
            </button>
          )}
          {!isMe && mention !== undefined && (
            <button type="button" className="menu-item" onClick={then(mention)}>
              {said.mention}
            </button>
          )}
          {deeds.map((deed) => (
            <button
              key={deed.what === 'make' ? deed.role : deed.what}
              type="button"
              className={deed.what === 'make' ? 'menu-item' : 'menu-item danger'}
              onClick={then(() => run(deed))}
            >
              {deed.what === 'make' ? said.make[deed.role] : said[deed.what]}
            </button>
          ))}
        </Popover>
      )}
    </>
  );
}
