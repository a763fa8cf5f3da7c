import { type FocusEvent, type RefObject, useCallback, useLayoutEffect, useRef } from 'react';

interface MemberFocus {
  ref: RefObject<HTMLDivElement | null>;
  onFocus(event: FocusEvent): void;
}

/** The focus goes with a row that moves to another group; where the row went away, to the heading of the pane. */
export function useMemberFocus(): MemberFocus {
  const ref = useRef<HTMLDivElement>(null);
  const last = useRef<{ element: Element; user: string } | null>(null);
  const onFocus = useCallback(({ target: element }: FocusEvent) => {
    const user = element.closest<HTMLElement>('[data-user]')?.dataset.user;
    last.current = user === undefined ? null : { element, user };
  }, []);

  // After every drawing: what had the focus may have been taken out by it.
  useLayoutEffect(() => {
    const [list, held] = [ref.current, last.current];
    if (list === null || held === null || held.element.isConnected) return;
    last.current = null;
    if (document.activeElement !== document.body) return;
    const part = held.element.matches('.row') ? '.row' : '[aria-expanded]';
    const again = list.querySelector<HTMLElement>(`[data-user="${CSS.escape(held.user)}"] ${part}`);
    (again ?? list.closest('.side-pane')?.querySelector('h2'))?.focus({ preventScroll: true });
  });
  return { ref, onFocus };
}
