import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { useWords } from '../i18n/speech.tsx';
import { isComposing } from '../kit/composing.ts';
import { CloseIcon } from '../kit/icons.tsx';
import { focusConversation } from '../kit/places.ts';

/** There is no room for three columns (`shell.css`). */
export const COVERS = '(max-width: 1099px)';

interface SidePaneProps {
  title: string;
  close(): void;
  children: ReactNode;
}

/**
 * What stands beside a conversation, or over it where there is no room. Escape closes it; the focus goes in, unless
 * something in it has taken it, and comes back if it is still there.
 */
export function SidePane({ title, close, children }: SidePaneProps) {
  const { app } = useWords();
  const heading = useId();
  const head = useRef<HTMLHeadingElement>(null);
  const pane = useRef<HTMLElement>(null);
  const [before] = useState(openedFrom);

  useEffect(() => {
    if (pane.current?.contains(document.activeElement) !== true) head.current?.focus();
    return () => {
      // Where somebody writes beside the pane, or in the next one, it stays.
      if (document.activeElement !== document.body) return;
      if (before instanceof HTMLElement && before.isConnected && before !== document.body) before.focus();
      else focusConversation();
    };
  }, [before]);

  return (
    <section
      ref={pane}
      className="side-pane"
      aria-labelledby={heading}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.defaultPrevented || isAbove(event.target)) return;
        if (isComposing(event.nativeEvent)) return;
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

/** What the first of several panes was opened from, that followed each other. */
let origin: Element | null = null;

function openedFrom(): Element | null {
  const { activeElement } = document;
  if (activeElement?.closest('.side-pane') == null) origin = activeElement;
  return origin;
}

/** A menu or a dialog that was opened in the pane closes before it. */
function isAbove(target: EventTarget): boolean {
  return target instanceof Element && target.closest('[popover], dialog') !== null;
}
