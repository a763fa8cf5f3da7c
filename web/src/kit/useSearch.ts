import { useEffect, useState } from 'react';
import { type Fault, faultOf, Problem } from '../net/problem.ts';

const SETTLE_MS = 150;

export type Search<T> =
  | { status: 'idle' }
  | { status: 'searching' }
  | { status: 'found'; found: T }
  /** Without a fault where it is this page that went wrong. */
  | { status: 'failed'; fault: Fault | null };

/** Asks for what is written once it stands still; nothing is asked while `words` is null. `ask` stays the same. */
export function useSearch<T>(
  words: string | null,
  ask: (words: string, signal: AbortSignal) => Promise<T>,
): Search<T> {
  const [search, setSearch] = useState<Search<T>>({ status: 'idle' });

  useEffect(() => {
    if (words === null) {
      setSearch({ status: 'idle' });
      return;
    }
    const abort = new AbortController();
    const timer = setTimeout(() => {
      setSearch((last) => (last.status === 'found' ? last : { status: 'searching' }));
      ask(words, abort.signal).then(
        (found) => !abort.signal.aborted && setSearch({ status: 'found', found }),
        (error: unknown) => {
          if (abort.signal.aborted) return;
          setSearch({ status: 'failed', fault: error instanceof Problem ? faultOf(error) : null });
        },
      );
    }, SETTLE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [words, ask]);

  return search;
}
