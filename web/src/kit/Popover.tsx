import { type ReactNode, type RefObject, useEffect, useLayoutEffect, useRef } from 'react';
import './popover.css';

/** Between the thing and what belongs to it, and around it to the window's edge. */
const GAP_PX = 4;

interface PopoverProps {
  /** What it belongs to: it stands below that, or above where there is more room. */
  anchor: RefObject<HTMLElement | null>;
  name: string;
  close(): void;
  children: ReactNode;
}

/**
 * A small panel over everything else, by the browser's own popover: Escape and a press elsewhere close it, and the focus
 * goes to its first control and back to where it was.
 */
export function Popover({ anchor, name, close, children }: PopoverProps) {
  const panel = useRef<HTMLFieldSetElement>(null);
  // Another one at each drawing of what it belongs to: the focus would go to the first control each time.
  const closing = useRef(close);
  useEffect(() => {
    closing.current = close;
  }, [close]);

  useLayoutEffect(() => {
    const { current } = panel;
    const from = anchor.current;
    if (current === null || from === null) return;
    current.showPopover();
    place(current, from);
    current.querySelector<HTMLElement>('button, input, [tabindex]')?.focus();
    // It goes along with what it belongs to until that has scrolled away.
    const scrolled = ({ target }: Event) => {
      if (!(target instanceof Node) || !target.contains(from)) return;
      if (isInSight(from, target)) place(current, from);
      else closing.current();
    };
    const resized = () => place(current, from);
    window.addEventListener('scroll', scrolled, { capture: true, passive: true });
    window.addEventListener('resize', resized);
    return () => {
      window.removeEventListener('scroll', scrolled, { capture: true });
      window.removeEventListener('resize', resized);
    };
  }, [anchor]);

  return (
    <fieldset
      ref={panel}
      className="popover"
      popover="auto"
      aria-label={name}
      onToggle={(event) => event.newState === 'closed' && close()}
    >
      {children}
    </fieldset>
  );
}

function isInSight(anchor: HTMLElement, within: Node): boolean {
  const { top, bottom } = anchor.getBoundingClientRect();
  const frame = within instanceof Element ? within.getBoundingClientRect() : { top: 0, bottom: innerHeight };
  return bottom > frame.top && top < frame.bottom;
}

function place(panel: HTMLElement, anchor: HTMLElement): void {
  const at = anchor.getBoundingClientRect();
  const { width, height } = panel.getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  const below = clientHeight - at.bottom >= height + 2 * GAP_PX || at.top < height + 2 * GAP_PX;
  const top = below ? Math.min(at.bottom + GAP_PX, clientHeight - height - GAP_PX) : at.top - height - GAP_PX;
  const rightToLeft = getComputedStyle(anchor).direction === 'rtl';
  const left = rightToLeft ? at.left : at.right - width;
  panel.style.top = `${Math.max(GAP_PX, top)}px`;
  panel.style.left = `${Math.max(GAP_PX, Math.min(left, clientWidth - width - GAP_PX))}px`;
}
