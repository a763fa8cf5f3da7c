/** What is under way with the people of a room. */
import { isMembership } from '../../outbox/pending.ts';
import type { MembershipEntry, Queue } from '../../outbox/queue.ts';

export function membershipsOf({ entries }: Queue, conversation: string): MembershipEntry[] {
  return entries.filter(isMembership).filter(({ to }) => to.conversation === conversation);
}

/** Whose place there is about to change. */
export function membershipsUnder(queue: Queue, conversation: string): Set<string> {
  const waiting = membershipsOf(queue, conversation).filter(({ status }) => status !== 'failed');
  return new Set(waiting.map(({ user }) => user));
}
