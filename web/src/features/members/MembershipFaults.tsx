import { useQueue } from '../../hooks/client.ts';
import { EntryFault } from '../outbox/EntryFault.tsx';
import { membershipsOf } from './pending.ts';

/** What was refused of what was to be done with the people of a room. */
export function MembershipFaults({ conversation }: { conversation: string }) {
  return membershipsOf(useQueue(), conversation)
    .filter(({ status }) => status === 'failed')
    .map((entry) => <EntryFault key={entry.id} entry={entry} />);
}
