import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { MAX_QUERY_CHARS } from '../../features/list/finding.ts';
import { EntryFault } from '../../features/outbox/EntryFault.tsx';
import { useWords } from '../../i18n/speech.tsx';
import { isComposing } from '../../kit/composing.ts';
import { Dialog } from '../../kit/Dialog.tsx';
import { arePressed, isMac } from './keys.ts';
import { SHORTCUTS } from './shortcuts.ts';
import { useChoices } from './useChoices.tsx';
import './keys.css';

/** Goes to any conversation, person or public room by a few letters. The focus stays in the field, which names the chosen one. */
export function QuickSwitcher({ open, close }: { open: string | null; close(): void }) {
  const { app, common } = useWords();
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState(0);
  const { groups, note, problem, fault } = useChoices(query, open, close);
  const all = groups.flatMap(({ choices }) => choices);
  const active = Math.min(chosen, Math.max(0, all.length - 1));
  const field = useRef<HTMLInputElement>(null);
  const ids = useId();
  const idOf = (index: number) => `${ids}-${index}`;
  const shown = all.length === 0 ? undefined : idOf(active);

  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    if (shown !== undefined) document.getElementById(shown)?.scrollIntoView({ block: 'nearest' });
  }, [shown]);

  const keyDown = (event: KeyboardEvent) => {
    if (isComposing(event.nativeEvent)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    // The browser has a use of its own for the keys that opened this.
    const again = SHORTCUTS.some(
      ({ name, keys }) => name === 'switchTo' && arePressed(keys, event.nativeEvent, isMac()),
    );
    if (step !== undefined && all.length > 0) setChosen((active + step + all.length) % all.length);
    else if (event.key === 'Enter') all[active]?.choose();
    else if (!again) return;
    event.preventDefault();
  };
  let index = -1;
  return (
    <Dialog title={app.keys.deeds.switchTo} close={close}>
      <input
        ref={field}
        className="switcher-field"
        type="text"
        role="combobox"
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setChosen(0);
        }}
        onKeyDown={keyDown}
        aria-label={app.keys.whereTo}
        placeholder={app.keys.whereTo}
        aria-autocomplete="list"
        aria-expanded={all.length > 0}
        aria-controls={`${ids}-list`}
        aria-activedescendant={shown}
        autoComplete="off"
        spellCheck={false}
        maxLength={MAX_QUERY_CHARS}
      />
      <p className="search-note" role="status" aria-label={common.search}>
        {note}
      </p>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {fault !== undefined && <EntryFault entry={fault} />}
      <div id={`${ids}-list`} className="switcher-list" role="listbox" aria-label={app.keys.places}>
        {groups.map(({ name, choices }) => (
          // biome-ignore lint/a11y/useSemanticElements: a fieldset may not stand in a listbox
          <div key={name} role="group" aria-label={name}>
            <p className="section-head" aria-hidden="true">
              {name}
            </p>
            {choices.map((choice) => {
              index += 1;
              const at = index;
              return (
                // biome-ignore lint/a11y/useFocusableInteractive lint/a11y/useKeyWithClickEvents: the focus and the keys are the field's
                <div
                  key={choice.key}
                  id={idOf(at)}
                  className={at === active ? 'row row-current' : 'row'}
                  role="option"
                  aria-selected={at === active}
                  onMouseDown={(event) => event.preventDefault()}
                  onPointerMove={() => at !== active && setChosen(at)}
                  onClick={choice.choose}
                >
                  {choice.sign}
                  <span className="row-text">
                    <span className="row-title" dir="auto">
                      {choice.name}
                    </span>
                    <span className="row-last">
                      <bdi>{choice.hint}</bdi>
                    </span>
                  </span>
                  {choice.badge}
                </div>
              );
            })}
          </div>
        ))}
      </div>
    </Dialog>
  );
}
