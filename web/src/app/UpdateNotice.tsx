import { useSyncExternalStore } from 'react';
import { useWords } from '../i18n/speech.tsx';
import { focusConversation } from '../kit/places.ts';
import type { Updates } from './update.ts';
import './update.css';

const NEVER = () => () => {};

/** Says that there is a newer Natter, and leaves it to the reader when to have it. */
export function UpdateNotice({ updates }: { updates: Updates | null }) {
  const { update } = useWords().app;
  const later = () => {
    focusConversation();
    updates?.later();
  };
  const ready = useSyncExternalStore(updates?.subscribe ?? NEVER, () => updates?.ready ?? false);
  return (
    // It is there before it says something, so that it is read out when it does.
    <div className="update" role="status" aria-label={update.name}>
      {ready && (
        <p>
          <span>{update.ready}</span>
          <span className="update-choice">
            <button type="button" className="link" onClick={() => updates?.take()}>
              {update.reload}
            </button>
            <button type="button" className="link" onClick={later}>
              {update.later}
            </button>
          </span>
        </p>
      )}
    </div>
  );
}
