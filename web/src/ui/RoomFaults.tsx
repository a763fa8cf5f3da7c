import { isOfRoom } from '../outbox/pending.ts';
import type { RoomEntry } from '../outbox/queue.ts';
import { EntryFault } from './EntryFault.tsx';
import { useQueue } from './hooks.ts';

/** What was refused of making, joining and leaving rooms. */
export function RoomFaults({ of }: { of(entry: RoomEntry): boolean }) {
  return useQueue()
    .entries.filter(isOfRoom)
    .filter((entry) => entry.status === 'failed' && of(entry))
    .map((entry) => <EntryFault key={entry.id} entry={entry} />);
}
