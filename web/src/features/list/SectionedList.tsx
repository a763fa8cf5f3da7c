import { type FocusEvent, type KeyboardEvent, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { useClient } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { ExpandIcon } from '../../kit/icons.tsx';
import { later } from '../../kit/later.tsx';
import { focusFilter } from '../../kit/places.ts';
import { Mentions, Unread } from './Badges.tsx';
import { ListRow } from './ListRow.tsx';
import type { Placed } from './LongList.tsx';
import type { Row } from './rows.ts';
import { OPENED_SETTING, type Opened, type Section, type SectionName } from './sections.ts';
import { useRowFocus } from './useRowFocus.ts';

/** Of fewer all are in the page; of more only those about where one looks. */
const ALL_FROM = 60;
/** Until it is measured. */
const ROW_PX = 60;
const HEAD_PX = 36;

export type Item = { section: Section; row: Row | null; place: number };

const LongList = later(async () => (await import('./LongList.tsx')).LongList);

interface SectionedListProps {
  sections: readonly Section[];
  opened: Opened;
  /** The key of the conversation that is open. */
  open: string | null;
}

/** The conversations in their sections. The arrows lead from one to the next, and from the first to the filter. */
export function SectionedList({ sections, opened, open }: SectionedListProps) {
  const client = useClient();
  const box = useRef<HTMLDivElement>(null);
  const items = useMemo(() => itemsOf(sections, opened), [sections, opened]);
  // What has the focus, or is about to.
  const [held, setHeld] = useState<string | null>(null);
  const focusNext = useRef(false);
  const scrollTo = useRef<(index: number) => void>(() => {});
  const heldAt = held === null ? -1 : items.findIndex((item) => keyOfItem(item) === held);
  useRowFocus(box, open);

  const goTo = (index: number) => {
    focusNext.current = true;
    setHeld(keyOfItem(items[index]));
    scrollTo.current(index);
  };
  useLayoutEffect(() => {
    if (!focusNext.current) return;
    focusNext.current = false;
    // Only now it is in the page.
    box.current?.querySelector<HTMLElement>(`[data-index="${heldAt}"] :is(a, button)`)?.focus();
  });

  const keyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const { target } = event;
    if (!(target instanceof HTMLElement) || target.closest('.popover') !== null) return;
    const at = Number(target.closest<HTMLElement>('[data-index]')?.dataset.index);
    const last = items.length - 1;
    const to = { ArrowDown: Math.min(at + 1, last), ArrowUp: Math.max(at - 1, 0), Home: 0, End: last }[
      event.key
    ];
    if (to === undefined || Number.isNaN(at)) return;
    event.preventDefault();
    if (to !== at) goTo(to);
    else if (event.key === 'ArrowUp') focusFilter();
  };
  const focused = ({ target }: FocusEvent<HTMLDivElement>) => {
    const index = target.closest<HTMLElement>('[data-index]')?.dataset.index;
    if (index !== undefined) setHeld(keyOfItem(items[Number(index)]));
  };
  const blurred = ({ currentTarget, relatedTarget }: FocusEvent<HTMLDivElement>) => {
    if (!currentTarget.contains(relatedTarget)) setHeld(null);
  };
  const turn = (name: SectionName) =>
    client.settings.set(OPENED_SETTING, { ...opened, [name]: !opened[name] });

  /** `placed` are those that are in the page: each in its place in a long list, one below the other in a short one. */
  const draw = (placed: readonly Placed[], height?: number, measure?: (element: Element | null) => void) => (
    <div className="list" style={{ height }}>
      {sections.map((section) => {
        const here = placed.filter(({ index }) => items[index]?.section === section);
        const itemOf = ({ index, start }: Placed) => ({
          ref: measure,
          'data-index': index,
          ...(start === undefined
            ? {}
            : { className: 'list-item', style: { transform: `translateY(${start}px)` } }),
        });
        return (
          <section key={section.name} className={`list-section list-${section.name}`}>
            {here.slice(0, 1).map((place) => (
              <div key={section.name} {...itemOf(place)}>
                <SectionHead
                  section={section}
                  opened={opened[section.name]}
                  turn={() => turn(section.name)}
                />
              </div>
            ))}
            {opened[section.name] && (
              <ul>
                {here.map((place) => {
                  const { row = null, place: n } = items[place.index] ?? {};
                  return row === null ? null : (
                    <li key={row.key} {...itemOf(place)} aria-setsize={section.rows.length} aria-posinset={n}>
                      <ListRow row={row} current={row.key === open} />
                    </li>
                  );
                })}
              </ul>
            )}
          </section>
        );
      })}
    </div>
  );

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the links and buttons in it have the focus
    <div className="list-scroll" ref={box} onKeyDown={keyDown} onFocus={focused} onBlur={blurred}>
      {items.length > ALL_FROM ? (
        <LongList box={box} items={items} heldAt={heldAt} scrollTo={scrollTo} estimate={estimate}>
          {draw}
        </LongList>
      ) : (
        draw(items.map((_, index) => ({ index })))
      )}
    </div>
  );
}

interface SectionHeadProps {
  section: Section;
  opened: boolean;
  turn(): void;
}

/** What is new in a section that is closed stands beside its name. */
function SectionHead({ section: { name, mentions, unread }, opened, turn }: SectionHeadProps) {
  const { list } = useWords();
  return (
    <h2 className="section-head">
      <button type="button" aria-expanded={opened} data-section={name} onClick={turn}>
        <ExpandIcon />
        <span className="section-name">{list.sections[name]}</span>
        {!opened && mentions > 0 && <Mentions count={mentions} />}
        {!opened && unread > 0 && <Unread count={unread} />}
      </button>
    </h2>
  );
}

function itemsOf(sections: readonly Section[], opened: Opened): Item[] {
  return sections.flatMap((section) => [
    { section, row: null, place: 0 },
    ...(opened[section.name] ? section.rows.map((row, n) => ({ section, row, place: n + 1 })) : []),
  ]);
}

export function keyOfItem(item: Item | undefined): string {
  return item?.row?.key ?? `section:${item?.section.name}`;
}

function estimate({ row }: Item): number {
  return row === null ? HEAD_PX : ROW_PX;
}
