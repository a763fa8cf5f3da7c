import { useQueue } from '../../hooks/client.ts';
import { isAbout } from '../../outbox/commands/commands.ts';
import { EntryFault } from '../outbox/EntryFault.tsx';
import type { OfRooms } from './faultPlaces.ts';

/** What was refused of making, joining, changing and leaving rooms, of who is in them, and of how a conversation is treated. */
export function RoomFaults({ of }: { of(entry: OfRooms): boolean }) {
  return useQueue()
    .entries.filter((entry) => isAbout(entry, 'room', 'membership', 'conversation'))
    .filter((entry) => entry.status === 'failed' && of(entry))
    .map((entry) => <EntryFault key={entry.id} entry={entry} />);
}
