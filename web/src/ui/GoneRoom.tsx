import type { Gone } from '../store/rooms.ts';
import { goneText } from './format.ts';
import { useKnown } from './hooks.ts';

/** In place of a room that one is in no more. */
export function GoneRoom({ gone }: { gone: Gone }) {
  const names = useKnown((state) => state.names);
  return (
    <div className="pane-empty">
      <p role="status">{goneText(gone, names)}</p>
      <a className="button" href="#/">
        Back to conversations
      </a>
    </div>
  );
}
