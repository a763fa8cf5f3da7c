/** The lines of a thread: as in a conversation, but for what only that has. */
import type { Calendar } from '../../kit/time.ts';
import { isChange } from '../../outbox/pending.ts';
import type { ConversationEntry, Queue } from '../../outbox/queue.ts';
import type { Conversation } from '../../store/state.ts';
import { heldMessage, type Timeline } from '../../store/timeline.ts';
import { entriesOf, type Line, linesOf } from '../timeline/timeline.ts';

/** What waits in a thread, and what is done to what is in it; the rest is shown where it belongs. */
export function threadEntries(
  queue: Queue,
  key: string,
  conversation: Conversation | undefined,
  timeline: Timeline | undefined,
  root: number,
): ConversationEntry[] {
  return entriesOf(queue, key, conversation, root).filter(
    (entry) =>
      !isChange(entry) || (timeline !== undefined && heldMessage(timeline, entry.message) !== undefined),
  );
}

/** How far others have come in a thread is nobody's to know: what is in the log is sent. */
export function threadLines(
  timeline: Timeline | undefined,
  entries: readonly ConversationEntry[],
  me: string,
  readBefore: number | null,
  calendar: Pick<Calendar, 'timeZone'>,
): Line[] {
  const inThread = entries.filter((entry) => !isChange(entry) || entry.message !== timeline?.root?.seq);
  return linesOf(undefined, timeline, inThread, me, readBefore, calendar).map((line) =>
    line.kind === 'message' && line.mine ? { ...line, receipt: 'sent' } : line,
  );
}
