import { type ComponentType, useEffect, useState } from 'react';
import { useWords } from '../i18n/speech.tsx';

type Later<P> = ComponentType<P> & {
  /** Begins before it is shown; a failure is told where it is. */
  fetch(): void;
};

/**
 * A part of the page that comes when it is needed, so that what everybody sees first is small. Where it can't be had that is
 * said in its place, and can be tried again: the rest of the page goes on.
 */
export function later<P extends object>(load: () => Promise<ComponentType<P>>): Later<P> {
  let part: ComponentType<P> | null = null;
  let coming: Promise<void> | null = null;
  const fetch = (): Promise<void> => {
    coming ??= load().then(
      (loaded) => {
        part = loaded;
      },
      (error: unknown) => {
        coming = null;
        throw error;
      },
    );
    return coming;
  };

  function Part(props: P) {
    const { common } = useWords();
    const [, setLoaded] = useState(part !== null);
    const [failed, setFailed] = useState(false);
    const [attempt, setAttempt] = useState(1);

    // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt loads the same once more
    useEffect(() => {
      // Also where it has come since it was drawn.
      let wanted = true;
      setFailed(false);
      fetch().then(
        () => wanted && setLoaded(true),
        () => wanted && setFailed(true),
      );
      return () => {
        wanted = false;
      };
    }, [attempt]);

    if (part !== null) {
      const Loaded = part;
      return <Loaded {...props} />;
    }
    if (!failed) return <p className="part-note appears-late">{common.loading}</p>;
    return (
      <p className="part-note" role="alert">
        {common.partFailed}{' '}
        <button type="button" className="link" onClick={() => setAttempt(attempt + 1)}>
          {common.tryAgain}
        </button>
      </p>
    );
  }

  return Object.assign(Part, { fetch: () => void fetch().catch(() => {}) });
}
