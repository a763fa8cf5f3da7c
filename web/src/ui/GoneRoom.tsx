import type { Gone } from '../store/rooms.ts';
import { goneText } from './format.ts';
import { useKnown, useQueue } from './hooks.ts';
import { WaitingLine } from './MessageLine.tsx';
import { entriesOf } from './timeline.ts';

/** In place of a room that one is in no more. What was written there and can't be sent any more is not thrown away. */
export function GoneRoom({ roomKey, gone }: { roomKey: string; gone: Gone }) {
  const names = useKnown((state) => state.names);
  const entries = entriesOf(useQueue(), roomKey, undefined);
  return (
    <div className="pane-empty">
      <p role="status">{goneText(gone, names)}</p>
      <a className="button" href="#/">
        Back to conversations
      </a>
      {entries.length > 0 && (
        <ol className="lines">
          {entries.map((entry) => (
            <WaitingLine key={entry.id} entry={entry} joined={false} />
          ))}
        </ol>
      )}
    </div>
  );
}
