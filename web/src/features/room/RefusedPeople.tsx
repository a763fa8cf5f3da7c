import { useState } from 'react';
import { useKnown } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { CloseIcon } from '../../kit/icons.tsx';
import { focusConversation } from '../../kit/places.ts';

/** Who was to be in a room that was just made, and is not. */
export function RefusedPeople({ room }: { room: string }) {
  const { common, room: said } = useWords();
  const entered = useKnown((state) => state.entered);
  const [seen, setSeen] = useState<string | null>(null);
  if (entered === null || entered.conversation !== room || entered.id === seen) return null;
  if (entered.refused.length === 0) return null;
  return (
    <p className="problem dismissible" role="alert">
      {said.notAdded(entered.refused.map((user) => `@${user}`).join(', '))}
      <button
        type="button"
        className="icon-button"
        aria-label={common.close}
        onClick={() => {
          focusConversation();
          setSeen(entered.id);
        }}
      >
        <CloseIcon />
      </button>
    </p>
  );
}
