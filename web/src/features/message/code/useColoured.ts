import { useEffect, useState } from 'react';
import { Lru } from '../../../kit/lru.ts';
import type { Coloured } from './highlight.ts';

const MAX_REMEMBERED = 100;

type Colour = typeof import('./highlight.ts').colouredCode;

let colour: Colour | null = null;
const remembered = new Lru<string, readonly Coloured[]>(MAX_REMEMBERED);

/** Code in colours, as soon as there are any; until then, and where they can't be loaded, as it is. */
export function useColoured(language: string, text: string): readonly Coloured[] {
  const [ready, setReady] = useState(colour !== null);
  useEffect(() => {
    if (ready || language === '') return;
    let here = true;
    import('./highlight.ts').then(
      ({ colouredCode }) => {
        colour = colouredCode;
        if (here) setReady(true);
      },
      // Without a network code is plain. The next block tries again.
      () => {},
    );
    return () => {
      here = false;
    };
  }, [ready, language]);
  if (!ready || language === '') return [text];
  return remembered.get(`${language}\n${text}`, () => colour?.(language, text) ?? [text]);
}
