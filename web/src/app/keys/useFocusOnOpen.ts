import { useEffect, useRef } from 'react';
import { focusConversation } from '../../kit/places.ts';

/** Whoever opens a conversation is in it, also where nothing of it takes the focus by itself. */
export function useFocusOnOpen(open: string | null): void {
  const before = useRef(open);
  useEffect(() => {
    const was = before.current;
    before.current = open;
    if (open === null || open === was) return;
    if (document.querySelector('.pane')?.contains(document.activeElement) !== true) focusConversation();
  }, [open]);
}
