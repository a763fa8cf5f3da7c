/** Moves the window over the lines, and keeps what the reader looks at where it is. */
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Line } from './timeline.ts';
import { type Drawn, drawnOf, middleAt, seqOf } from './window.ts';

/** This near to the end counts as being there. */
const NEAR_END_PX = 60;
/** A place where something new begins stands this far down, as a part of the height: what was before it is seen, too. */
const BEGINS_AT = 0.15;

/** The lines in sight, as indices. */
export interface Sight {
  first: number;
  last: number;
  atEnd: boolean;
}

/** A line that the reader sees, and how far below the upper edge it stands. */
export interface Anchor {
  key: string;
  seq: number | null;
  top: number;
}

/** A line to be brought into sight as soon as it is here. */
export interface Reveal {
  find(lines: readonly Line[]): number;
  /** `nearest` moves nothing where it is in sight already; a number is how far below the upper edge. */
  place: 'begins' | 'middle' | 'nearest' | number;
  /** Where the focus was when this began: from there it goes to the line, unless it has gone elsewhere by then. */
  focusFrom: Element | null | undefined;
  done?(line: Line): void;
}

export interface Scrolling {
  list: RefObject<HTMLOListElement | null>;
  drawn: Drawn;
  atEnd: boolean;
  /** The message around which lines are drawn; null at the end. */
  middle: string | null;
  anchor: RefObject<Anchor | null>;
  sight: RefObject<Sight>;
  scrolled(): void;
  reveal(what: Reveal): void;
  toEnd(): void;
}

export function useScroll(
  box: RefObject<HTMLDivElement | null>,
  lines: readonly Line[],
  /** The last line is the newest that there is. */
  follows: boolean,
  /** The message that stays in the page wherever the reader goes. */
  kept: number | null,
  looked: (sight: Sight) => void,
  /** What the reader looked at is not here any more. */
  lost: (anchor: Anchor) => void,
): Scrolling {
  const list = useRef<HTMLOListElement>(null);
  const anchor = useRef<Anchor | null>(null);
  const sight = useRef<Sight>({ first: 0, last: 0, atEnd: true });
  const wanted = useRef<Reveal | 'end' | null>(null);
  const focused = useRef(false);
  const [middle, setMiddle] = useState<string | null>(null);
  const [atEnd, setAtEnd] = useState(true);
  const drawn = drawnOf(lines, middle, kept);

  /** Takes note of what is in sight. */
  const look = () => {
    const { current: frame } = box;
    const { current: items } = list;
    if (frame === null || items === null || !hasRoom(frame)) return;
    const seen = inSight(frame, items);
    const first = drawn.from + seen.first;
    const below = frame.scrollHeight - frame.scrollTop - frame.clientHeight;
    const end = follows && drawn.to === lines.length && below < NEAR_END_PX;
    anchor.current = anchorIn(lines, drawn, frame, items, seen);
    sight.current = { first, last: drawn.from + seen.last, atEnd: end };
    setAtEnd(end);
    // On the way to somewhere else nothing is to be had for what is in sight now.
    if (wanted.current !== null) return;
    setMiddle(end ? null : middleAt(lines, middle, first));
    looked(sight.current);
  };

  /** After whatever may have changed how tall something is: the reader's place stays. */
  const settle = () => {
    const { current: frame } = box;
    const { current: items } = list;
    if (frame === null || items === null || !hasRoom(frame)) return;
    const { current: want } = wanted;
    const at = want === null || want === 'end' ? -1 : want.find(lines);
    if (want === 'end' && follows && drawn.to === lines.length) {
      wanted.current = null;
      frame.scrollTop = frame.scrollHeight;
    } else if (want !== null && want !== 'end' && at !== -1) {
      const item = items.children[at - drawn.from];
      if (item === undefined) {
        setMiddle(lines[at]?.key ?? null);
        return;
      }
      wanted.current = null;
      bring(frame, item, want.place);
      if (item instanceof HTMLElement && want.focusFrom !== undefined && isStillAt(want.focusFrom))
        item.focus({ preventScroll: true });
      const line = lines[at];
      if (line !== undefined) want.done?.(line);
    } else if (sight.current.atEnd && follows) {
      frame.scrollTop = frame.scrollHeight;
    } else if (anchor.current !== null) {
      if (!keep(frame, items, lines, drawn, anchor.current)) lost(anchor.current);
    }
    // What had the focus may have left the page: the keyboard goes on from here.
    if (focused.current && document.activeElement === document.body) frame.focus({ preventScroll: true });
    look();
  };

  const latest = useRef({ look, settle });
  useLayoutEffect(() => {
    latest.current = { look, settle };
    settle();
  });

  useEffect(() => {
    const { current: frame } = box;
    const { current: items } = list;
    if (frame === null || items === null) return;
    // A window, a font, a composer or an on-screen keyboard that takes room.
    const observer = new ResizeObserver(() => latest.current.settle());
    observer.observe(frame);
    observer.observe(items);
    const came = () => {
      focused.current = true;
    };
    const went = (event: FocusEvent) => {
      // An element that is taken away loses the focus to nobody.
      if (event.relatedTarget !== null) focused.current = false;
    };
    const elsewhere = () => {
      focused.current = false;
    };
    frame.addEventListener('focusin', came);
    frame.addEventListener('focusout', went);
    window.addEventListener('pointerdown', elsewhere, { capture: true });
    return () => {
      observer.disconnect();
      frame.removeEventListener('focusin', came);
      frame.removeEventListener('focusout', went);
      window.removeEventListener('pointerdown', elsewhere, { capture: true });
    };
  }, [box]);

  const scrolled = useCallback(() => latest.current.look(), []);
  const reveal = useCallback((what: Reveal) => {
    wanted.current = what;
    latest.current.settle();
  }, []);
  const toEnd = useCallback(() => {
    wanted.current = 'end';
    setMiddle(null);
    latest.current.settle();
  }, []);
  return { list, drawn, atEnd, middle, anchor, sight, scrolled, reveal, toEnd };
}

/** Under a pane that covers it nothing is in sight and nothing has a place; it is settled when it comes back. */
export function hasRoom(frame: HTMLElement): boolean {
  return frame.clientHeight > 0;
}

/** Never from where something is being written: on a message the next letters would be shortcuts. */
function isStillAt(from: Element | null): boolean {
  const { activeElement: now, body } = document;
  if (now instanceof HTMLTextAreaElement && now.value !== '') return false;
  if (now === from || now === body || from?.isConnected === false) return true;
  // Where it was nowhere, what has opened since has taken it.
  return (from === null || from === body) && now?.closest('.composer, .conversation-head') != null;
}

/** The children that are in sight, by halves: a long list is not measured line by line. */
function inSight(frame: HTMLElement, items: HTMLElement): { first: number; last: number } {
  const { top, bottom } = frame.getBoundingClientRect();
  const { children } = items;
  const firstWhere = (holds: (rect: DOMRect) => boolean) => {
    let [low, high] = [0, children.length];
    while (low < high) {
      const half = (low + high) >>> 1;
      const rect = children[half]?.getBoundingClientRect();
      if (rect === undefined || holds(rect)) high = half;
      else low = half + 1;
    }
    return low;
  };
  const max = Math.max(0, children.length - 1);
  const first = Math.min(
    max,
    firstWhere((rect) => rect.bottom > top + 1),
  );
  const after = firstWhere((rect) => rect.top >= bottom - 1);
  return { first, last: Math.max(first, Math.min(max, after - 1)) };
}

/** The first that is wholly in sight, so that one that grows above it moves nothing; days move when older ones come. */
function anchorIn(
  lines: readonly Line[],
  { from }: Drawn,
  frame: HTMLElement,
  items: HTMLElement,
  seen: { first: number; last: number },
): Anchor | null {
  const { top } = frame.getBoundingClientRect();
  let found: Anchor | null = null;
  for (let at = seen.first; at <= seen.last; at += 1) {
    const line = lines[from + at];
    const item = items.children[at];
    if (line === undefined || item === undefined || line.kind === 'day' || line.kind === 'new') continue;
    const below = item.getBoundingClientRect().top - top;
    const here = { key: line.key, seq: seqOf(line), top: below };
    if (below >= -1) return here;
    found ??= here;
  }
  return found;
}

function keep(
  frame: HTMLElement,
  items: HTMLElement,
  lines: readonly Line[],
  { from }: Drawn,
  anchor: Anchor,
): boolean {
  const at = lines.findIndex(({ key }) => key === anchor.key);
  const item = items.children[at - from];
  if (at === -1 || item === undefined) return at !== -1;
  const moved = item.getBoundingClientRect().top - frame.getBoundingClientRect().top - anchor.top;
  if (Math.abs(moved) >= 0.5) frame.scrollTop += moved;
  return true;
}

function bring(frame: HTMLElement, item: Element, place: Reveal['place']): void {
  const outer = frame.getBoundingClientRect();
  const inner = item.getBoundingClientRect();
  const top = inner.top - outer.top;
  const room = outer.height - inner.height;
  if (place === 'nearest') {
    if (top < 0) frame.scrollTop += top;
    else if (top > room) frame.scrollTop += Math.min(top, top - room);
    return;
  }
  const wanted =
    place === 'begins' ? outer.height * BEGINS_AT : place === 'middle' ? Math.max(0, room / 2) : place;
  frame.scrollTop += top - wanted;
}
