import {
  type KeyboardEvent,
  startTransition,
  useDeferredValue,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { flushSync } from 'react-dom';
import { useWords } from '../../i18n/speech.tsx';
import { isComposing } from '../../kit/composing.ts';
import { CloseIcon } from '../../kit/icons.tsx';
import { closeModal } from '../../kit/modal.ts';
import { Categories } from './Categories.tsx';
import type { Emoji } from './data.ts';
import { EmojiSection } from './EmojiSection.tsx';
import { moved, rowsOf } from './grid.ts';
import type { PickEmojiProps } from './PickEmoji.tsx';
import { columnsNow, usePlace } from './place.ts';
import { ShownEmoji } from './ShownEmoji.tsx';
import { SkinTones } from './SkinTones.tsx';
import { searchEmoji } from './search.ts';
import { useTaste, withUsed } from './taste.ts';
import { toned } from './tone.ts';
import { useEmojiBook } from './useEmojiBook.ts';
import { useSections } from './useSections.ts';
import './emoji.css';

/** The groups that a first look can see. */
const AT_ONCE = 2;

export function EmojiPicker({ anchor, pick, close }: PickEmojiProps) {
  const { common, emoji: says } = useWords();
  const book = useEmojiBook(true);
  const [taste, change] = useTaste();
  // What was used while it is open does not move under the finger.
  const [recent] = useState(taste.recent);
  const [written, setWritten] = useState('');
  const words = useDeferredValue(written);
  const [active, setActive] = useState(0);
  const [pointed, setPointed] = useState<number | null>(null);
  const [columns] = useState(columnsNow);
  const [whole, setWhole] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const grid = useRef<HTMLDivElement>(null);

  const { sections, cells, starts } = useSections(book, words, recent);
  const rows = useMemo(
    () =>
      rowsOf(
        sections.map(({ emoji }) => emoji.length),
        columns,
      ),
    [sections, columns],
  );
  const at = Math.min(active, Math.max(0, cells.length - 1));
  const current = sections[starts.findLastIndex((start) => start <= at)]?.key;

  useLayoutEffect(() => {
    const shown = dialog.current;
    if (shown === null) return;
    if (!shown.open) shown.showModal();
    // On a touch screen the field would raise the keyboard over the emoji.
    if (window.matchMedia('(pointer: fine)').matches) field.current?.focus();
    else shown.focus();
    return () => closeModal(shown);
  }, []);
  // Once it is open, for before it has no size.
  usePlace(dialog, anchor);

  // What is seen at first comes first; the rest follows while one looks.
  useEffect(() => {
    if (book !== null) startTransition(() => setWhole(true));
  }, [book]);

  const choose = (emoji: Emoji | undefined) => {
    if (emoji === undefined) return;
    change({ recent: withUsed(taste.recent, emoji.emoji) });
    // The focus goes back first: what is under an open dialog takes none.
    if (dialog.current !== null) closeModal(dialog.current);
    close();
    pick(emoji.skins ? toned(emoji.emoji, taste.tone) : emoji.emoji);
  };
  const cellAt = (index: number) =>
    grid.current?.querySelector<HTMLElement>(`[data-index="${index}"]`) ?? null;
  const goTo = (index: number, options?: FocusOptions) => {
    // Whoever is quicker than the rest of the cells does not wait for them.
    flushSync(() => {
      if (cellAt(index) === null) setWhole(true);
      setActive(index);
    });
    cellAt(index)?.focus(options);
  };
  const goToSection = (index: number) => {
    const start = starts[index] ?? 0;
    flushSync(() => setWhole(true));
    grid.current?.children[index]?.scrollIntoView({ block: 'start' });
    goTo(start, { preventScroll: true });
  };
  const keyInGrid = (event: KeyboardEvent<HTMLDivElement>) => {
    const rightToLeft = getComputedStyle(event.currentTarget).direction === 'rtl';
    const to = moved(rows, at, event, rightToLeft);
    if (to === null) return;
    event.preventDefault();
    if (to === 'up_and_out') field.current?.focus();
    else goTo(to);
  };
  const keyInSearch = (event: KeyboardEvent) => {
    if (isComposing(event.nativeEvent)) return;
    if (event.key === 'ArrowDown') {
      event.preventDefault();
      goTo(0);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (written.trim() !== '' && book !== null) choose(searchEmoji(book, written, 1)[0]);
    }
  };

  return (
    <dialog
      ref={dialog}
      className="emoji-picker"
      tabIndex={-1}
      aria-label={says.pick}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onClick={(event) => event.target === dialog.current && close()}
      // What is pressed here is nobody else's.
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key !== 'Escape' || isComposing(event.nativeEvent)) return;
        event.preventDefault();
        close();
      }}
    >
      <div className="emoji-head">
        <input
          ref={field}
          type="search"
          value={written}
          onChange={(event) => {
            setWritten(event.target.value);
            setActive(0);
          }}
          onKeyDown={keyInSearch}
          aria-label={says.search}
          placeholder={says.search}
          autoComplete="off"
          maxLength={60}
          enterKeyHint="search"
        />
        <button type="button" className="icon-button" aria-label={common.close} onClick={close}>
          <CloseIcon />
        </button>
      </div>
      {written.trim() === '' && <Categories sections={sections} current={current} choose={goToSection} />}
      <p className={cells.length === 0 ? 'emoji-none' : 'visually-hidden'} role="status">
        {cells.length > 0
          ? words.trim() !== '' && says.found(cells.length)
          : book === null
            ? says.fetching
            : says.none(words.trim())}
      </p>
      {cells.length > 0 && (
        // biome-ignore lint/a11y/useSemanticElements: a table has no cells that flow and can be skipped
        <div
          ref={grid}
          className="emoji-grid"
          role="grid"
          aria-label={says.all}
          onKeyDown={keyInGrid}
          onClick={(event) => choose(cells[indexOf(event.target)])}
          onFocus={(event) => setActive(indexOf(event.target))}
          onPointerOver={(event) => setPointed(indexOf(event.target) >= 0 ? indexOf(event.target) : null)}
          onPointerLeave={() => setPointed(null)}
        >
          {sections.map((section, index) => {
            const start = starts[index] ?? 0;
            const inside = at >= start && at < start + section.emoji.length;
            return (
              <EmojiSection
                key={section.key}
                section={section}
                columns={columns}
                tone={taste.tone}
                start={start}
                filled={whole || index < AT_ONCE}
                active={inside ? at : null}
              />
            );
          })}
        </div>
      )}
      <footer className="emoji-foot">
        <ShownEmoji emoji={cells[pointed ?? at]} tone={taste.tone} />
        <SkinTones tone={taste.tone} choose={(tone) => change({ tone })} />
      </footer>
    </dialog>
  );
}

/** The number of the cell that this is; -1 beside the cells. */
function indexOf(target: EventTarget): number {
  const cell = target instanceof Element ? target.closest<HTMLElement>('[data-index]') : null;
  return Number(cell?.dataset.index ?? -1);
}
