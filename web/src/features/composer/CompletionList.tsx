import { useEffect, useRef } from 'react';
import { useWords } from '../../i18n/speech.tsx';
import type { Completion } from './useCompletion.tsx';

/** Over the field. The focus stays in the field, which names the active one. */
export function CompletionList({ completion }: { completion: Completion }) {
  const { composer } = useWords();
  const { options, active, list, idOf, setActive, choose } = completion;
  const box = useRef<HTMLDivElement>(null);
  const shown = idOf(active);

  useEffect(() => {
    document.getElementById(shown)?.scrollIntoView({ block: 'nearest' });
  }, [shown]);

  return (
    <>
      <p className="visually-hidden" role="status">
        {options.length === 0 ? '' : composer.suggestions(options.length)}
      </p>
      {options.length > 0 && (
        <div ref={box} className="completion" role="listbox" id={list} aria-label={composer.suggested}>
          {options.map((option, index) => (
            // biome-ignore lint/a11y/useFocusableInteractive lint/a11y/useKeyWithClickEvents: the focus and the keys are the field's
            <div
              key={option.chosen}
              id={idOf(index)}
              className="completion-option"
              role="option"
              aria-selected={index === active}
              // The field keeps the focus, and on a phone the keyboard.
              onMouseDown={(event) => event.preventDefault()}
              onPointerMove={() => index !== active && setActive(index)}
              onClick={() => choose(index)}
            >
              <span className="completion-sign" aria-hidden="true">
                {option.sign}
              </span>
              <span className="completion-name" dir="auto">
                {option.name}
              </span>
              <span className="hint">
                <bdi>{option.hint !== option.name && option.hint}</bdi>
              </span>
            </div>
          ))}
        </div>
      )}
    </>
  );
}
