import { useRef, useState } from 'react';
import type { PaneWay } from '../../app/HeadPane.tsx';
import { useConversation, useKnown } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { MoreIcon } from '../../kit/icons.tsx';
import { idShown } from '../../store/shown.ts';
import { ConversationMenu } from './menu.ts';

interface HeadMenuProps {
  conversationKey: string;
  title: string;
  /** What has no room of its own in the head. */
  ways: readonly PaneWay[];
}

/** The menu of the conversation that is open. Before anything was said in it there is nothing to be done to it. */
export function HeadMenu({ conversationKey, title, ways }: HeadMenuProps) {
  const { list } = useWords();
  const id = useKnown((state) => idShown(state, conversationKey));
  const conversation = useConversation(id);
  const [open, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  if (conversation === undefined && ways.length === 0) return null;
  return (
    <>
      <button
        ref={opener}
        type="button"
        className="icon-button head-menu"
        aria-label={list.options}
        title={list.options}
        onPointerEnter={ConversationMenu.fetch}
        onFocus={ConversationMenu.fetch}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <MoreIcon />
      </button>
      {open && (
        <ConversationMenu
          anchor={opener}
          conversation={conversation}
          title={title}
          ways={ways}
          close={() => setOpen(false)}
        />
      )}
    </>
  );
}
