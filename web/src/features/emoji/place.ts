/** Where the picker stands: beside what opened it, and on a phone at the lower edge. */
import { type RefObject, useLayoutEffect } from 'react';

/** The narrower ones have a sheet, as `emoji.css` has it. */
const SHEET = '(max-width: 30rem)';
const WIDTH_REM = 22;
const CELL_REM = { mouse: 2.5, finger: 2.75 };
const GAP_PX = 8;

export function usePlace(dialog: RefObject<HTMLDialogElement | null>, anchor: HTMLElement | null): void {
  useLayoutEffect(() => {
    const place = () => {
      const shown = dialog.current;
      if (shown === null) return;
      if (anchor === null || !anchor.isConnected || window.matchMedia(SHEET).matches) {
        shown.style.inset = '';
        return;
      }
      const from = anchor.getBoundingClientRect();
      const { offsetWidth: width, offsetHeight: height } = shown;
      const { clientWidth, clientHeight } = document.documentElement;
      const rightToLeft = getComputedStyle(shown).direction === 'rtl';
      const above = from.top - GAP_PX - height;
      const top = above >= GAP_PX ? above : Math.min(from.bottom + GAP_PX, clientHeight - height - GAP_PX);
      const start = rightToLeft ? clientWidth - from.right : from.left;
      const inlineStart = Math.max(GAP_PX, Math.min(start, clientWidth - width - GAP_PX));
      shown.style.insetBlock = `${Math.max(GAP_PX, top)}px auto`;
      shown.style.insetInline = `${inlineStart}px auto`;
    };
    place();
    window.addEventListener('resize', place);
    return () => window.removeEventListener('resize', place);
  }, [dialog, anchor]);
}

/** As many as have room, each large enough for what it is pressed with. */
export function columnsNow(): number {
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
  const width = window.matchMedia(SHEET).matches ? window.innerWidth : WIDTH_REM * rem;
  const cell = window.matchMedia('(pointer: coarse)').matches ? CELL_REM.finger : CELL_REM.mouse;
  return Math.max(4, Math.min(9, Math.floor((width - 1.25 * rem) / (cell * rem))));
}
