import { useEffect, useRef } from 'react';
import { useDevice } from '../../hooks/device.ts';
import { isComposing } from '../../kit/composing.ts';
import { arePressed, type Field, isMac, isOfField, isSingle, takesText } from './keys.ts';
import { type Deeds, SHORTCUTS } from './shortcuts.ts';

/** Listens behind everything else in the page: what has the focus takes its keys first. */
export function useShortcuts(deeds: Deeds): void {
  const device = useDevice();
  const latest = useRef(deeds);
  useEffect(() => {
    latest.current = deeds;
  });

  useEffect(() => {
    const mac = isMac();
    const keyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || isComposing(event)) return;
      // Whatever lies over the page has the keys to itself.
      if (document.querySelector('dialog[open], :popover-open') !== null) return;
      const field = (event.target ?? {}) as Field;
      const shortcut = SHORTCUTS.find(
        ({ keys, run }) =>
          run !== undefined &&
          arePressed(keys, event, mac) &&
          !isOfField(keys, field, mac) &&
          (!isSingle(keys) || (device.settings.singleKeys && !takesText(event.target))),
      );
      if (shortcut === undefined) return;
      event.preventDefault();
      shortcut.run?.(latest.current);
    };
    window.addEventListener('keydown', keyDown);
    return () => window.removeEventListener('keydown', keyDown);
  }, [device]);
}
