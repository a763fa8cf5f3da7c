import { type ReactNode, useState } from 'react';
import { useWords } from '../../../i18n/speech.tsx';

/** Until it is asked for it is not on the page at all: nothing finds it, reads it aloud or copies it. */
export function Spoiler({ children }: { children: ReactNode }) {
  const { spoiler } = useWords().message;
  const [shown, setShown] = useState(false);
  return (
    <span className="spoiler">
      <button
        type="button"
        aria-expanded={shown}
        aria-label={shown ? spoiler.hide : spoiler.show}
        onClick={() => setShown(!shown)}
      >
        {spoiler.name}
      </button>
      {shown && <span className="spoiled"> {children}</span>}
    </span>
  );
}
