import { defaultRangeExtractor, type Range, useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, type RefObject, useCallback, useLayoutEffect } from 'react';
import { type Item, keyOfItem } from './SectionedList.tsx';

/** So many are in the page beyond either end of what one sees. */
const OVERSCAN = 8;

/** An item that is in the page, and where it begins; without that it stands below the one before. */
export interface Placed {
  index: number;
  start?: number;
}

interface LongListProps {
  /** What scrolls. */
  box: RefObject<HTMLDivElement | null>;
  items: readonly Item[];
  /** The item that has the focus, or is about to; below nought for none. */
  heldAt: number;
  /** Becomes what brings an item into view. */
  scrollTo: RefObject<(index: number) => void>;
  estimate(item: Item): number;
  children(placed: readonly Placed[], height: number, measure: (element: Element | null) => void): ReactNode;
}

/** Of a long list only what one sees is in the page. */
export function LongList({ box, items, heldAt, scrollTo, estimate, children }: LongListProps) {
  const virtualizer = useVirtualizer<HTMLDivElement, Element>({
    count: items.length,
    getScrollElement: () => box.current,
    estimateSize: (index) => {
      const item = items[index];
      return item === undefined ? 0 : estimate(item);
    },
    getItemKey: (index) => keyOfItem(items[index]),
    overscan: OVERSCAN,
    rangeExtractor: useCallback((range: Range) => shownOf(range, items, heldAt), [items, heldAt]),
  });
  useLayoutEffect(() => {
    scrollTo.current = (index) => virtualizer.scrollToIndex(index);
    return () => {
      scrollTo.current = () => {};
    };
  }, [scrollTo, virtualizer]);
  return children(virtualizer.getVirtualItems(), virtualizer.getTotalSize(), virtualizer.measureElement);
}

/** The heads always, so that one gets from section to section, and what has the focus. */
function shownOf(range: Range, items: readonly Item[], held: number): number[] {
  const heads = items.flatMap(({ row }, index) => (row === null ? [index] : []));
  const more = held < 0 ? [] : [held];
  return [...new Set([...heads, ...more, ...defaultRangeExtractor(range)])].sort((a, b) => a - b);
}
