import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { useWords } from '../i18n/speech.tsx';
import { CloseIcon } from '../kit/icons.tsx';

/** There is no room for three columns (`shell.css`). */
export const COVERS = '(max-width: 1099px)';

interface SidePaneProps {
  title: string;
  close(): void;
  children: ReactNode;
}

/**
 * What stands beside a conversation, or over it where there is no room. Escape closes it; the focus goes in, unless
 * something in it has taken it, and comes back.
 */
export function SidePane({ title, close, children }: SidePaneProps) {
  const { app } = useWords();
  const heading = useId();
  const head = useRef<HTMLHeadingElement>(null);
  const pane = useRef<HTMLElement>(null);
  const [before] = useState(() => document.activeElement);

  useEffect(() => {
    if (pane.current?.contains(document.activeElement) !== true) head.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [before]);

  return (
    <section
      ref={pane}
      className="side-pane"
      aria-labelledby={heading}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.defaultPrevented || isAbove(event.target)) return;
        event.preventDefault();
        close();
      }}
    >
      <header className="side-pane-head">
        <h2 id={heading} ref={head} tabIndex={-1}>
          {title}
        </h2>
        <button type="button" className="icon-button" aria-label={app.closePane} onClick={close}>
          <CloseIcon />
        </button>
      </header>
      {children}
    </section>
  );
}

/** A menu or a dialog that was opened in the pane closes before it. */
function isAbove(target: EventTarget): boolean {
  return target instanceof Element && target.closest('[popover], dialog') !== null;
}
