import { useRef, useState } from 'react';
import { useSpeech } from '../../i18n/speech.tsx';
import { MoreIcon, SmileIcon } from '../../kit/icons.tsx';
import { Popover } from '../../kit/Popover.tsx';
import { fetchPicker, PickEmoji } from '../emoji/PickEmoji.tsx';
import type { MessageAction } from './actions.tsx';
import { QUICK } from './emoji.ts';

interface MessageActionsProps {
  /** Of whom the message is, for those who do not see where the button stands. */
  author: string;
  mine: boolean;
  actions: readonly MessageAction[];
  react(emoji: string): void;
}

/** One button beside a message, and behind it all that can be done to the message. */
export function MessageActions({ author, mine, actions, react }: MessageActionsProps) {
  const { language, words } = useSpeech();
  const { message } = words;
  const [picking, setPicking] = useState(false);
  const [open, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);

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
        className="icon-button more"
        aria-label={mine ? message.actionsOfYours : message.actionsOf(author)}
        title={message.reactAndMore}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <MoreIcon />
      </button>
      {open && (
        <Popover anchor={opener} name={message.actions} close={() => setOpen(false)}>
          <div className="quick-reactions">
            {QUICK.map(([emoji, name]) => (
              <button
                key={emoji}
                type="button"
                className="quick emoji"
                aria-label={message.reactWith(message.quick[name])}
                title={message.quick[name]}
                onClick={then(() => react(emoji))}
              >
                {emoji}
              </button>
            ))}
            <button
              type="button"
              className="quick"
              aria-label={message.anotherEmoji}
              title={message.anotherEmoji}
              onPointerEnter={() => fetchPicker(language)}
              onFocus={() => fetchPicker(language)}
              onClick={then(() => setPicking(true))}
            >
              <SmileIcon />
            </button>
          </div>
          {actions.map(({ id, name, icon, dangerous = false, run }) => (
            <button
              key={id}
              type="button"
              className={dangerous ? 'menu-item danger' : 'menu-item'}
              onClick={then(run)}
            >
              {icon}
              {name}
            </button>
          ))}
        </Popover>
      )}
      {picking && <PickEmoji anchor={opener.current} pick={react} close={() => setPicking(false)} />}
    </>
  );
}
