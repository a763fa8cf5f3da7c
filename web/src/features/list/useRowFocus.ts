import { type RefObject, useEffect, useLayoutEffect, useRef } from 'react';
import { rowLink, rowMenu } from '../../kit/places.ts';

/** The focus stays with a row that moves to another section, and comes back to the row of what was open. */
export function useRowFocus(box: RefObject<HTMLElement | null>, open: string | null): void {
  const last = useRef<{ element: HTMLElement; row: string; menu: boolean } | null>(null);
  const before = useRef(open);

  useEffect(() => {
    const list = box.current;
    const noted = ({ target }: FocusEvent) => {
      if (!(target instanceof HTMLElement)) return;
      const { row, rowMenu } = target.dataset;
      const key = row ?? rowMenu;
      last.current = key === undefined ? null : { element: target, row: key, menu: rowMenu !== undefined };
    };
    list?.addEventListener('focusin', noted);
    return () => list?.removeEventListener('focusin', noted);
  }, [box]);

  // After every drawing: what had the focus may have been taken out by it.
  useLayoutEffect(() => {
    const list = box.current;
    const held = last.current;
    if (list === null || held === null || held.element.isConnected || !isFree()) return;
    last.current = null;
    const again = held.menu ? rowMenu(list, held.row) : rowLink(list, held.row);
    (again ?? list.querySelector<HTMLElement>('.list-hidden [data-section]'))?.focus();
  });

  useEffect(() => {
    const was = before.current;
    before.current = open;
    if (was === null || open !== null || box.current === null || !isFree()) return;
    rowLink(box.current, was)?.focus();
  }, [box, open]);
}

/** Nothing has the focus. */
function isFree(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}
