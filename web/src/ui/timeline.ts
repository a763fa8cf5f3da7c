/** The lines of a timeline: stored messages with their days, as they will be when all is sent; then what is not sent. */
import type { ReplyItem } from '../net/frames.ts';
import { isChange, isOfRoom, withPending } from '../outbox/pending.ts';
import type { ChangeEntry, ConversationEntry, Queue } from '../outbox/queue.ts';
import { answered, type Receipt, receiptOf } from '../store/conversation.ts';
import type { Notice } from '../store/rooms.ts';
import { type Conversation, directKey, type Message, roomOfKey } from '../store/state.ts';
import { type Calendar, dayOf } from './format.ts';

export type Line =
  | { kind: 'day'; key: string; at: string }
  | { kind: 'new'; key: string }
  | { kind: 'notice'; key: string; notice: Notice }
  | {
      kind: 'message';
      key: string;
      message: Message;
      /** What it answers, where that is known. */
      reply: ReplyItem | null;
      /** What this person did to it and is not in the log yet, or was refused. */
      changes: readonly ChangeEntry[];
      mine: boolean;
      joined: boolean;
      receipt: Receipt | null;
    }
  | { kind: 'waiting'; key: string; entry: ConversationEntry; joined: boolean };

/** Messages of one person within this time stand together. */
const TOGETHER_MS = 5 * 60_000;
const NOTHING: readonly ChangeEntry[] = [];

export function entriesOf(
  queue: Queue,
  key: string,
  conversation: Conversation | undefined,
): ConversationEntry[] {
  return queue.entries
    .filter((entry) => entry.kind !== 'block' && !isOfRoom(entry))
    .filter(({ to }) =>
      'conversation' in to
        ? to.conversation === (conversation?.id ?? roomOfKey(key))
        : directKey(to.participants) === key,
    );
}

export function linesOf(
  conversation: Conversation | undefined,
  entries: readonly ConversationEntry[],
  me: string,
  /** Where the reader had been when the conversation was opened. */
  readBefore: number | null,
  calendar: Calendar,
): Line[] {
  const lines: Line[] = [];
  let before: { sender: string; at: string } | null = null;
  let marked = readBefore === null;
  const enter = (sender: string, at: string): boolean => {
    const day = dayOf(at, calendar);
    const newDay = before === null || dayOf(before.at, calendar) !== day;
    if (newDay) lines.push({ kind: 'day', key: `day ${day}`, at });
    const joined =
      !newDay && before?.sender === sender && Date.parse(at) - Date.parse(before.at) < TOGETHER_MS;
    before = { sender, at };
    return joined;
  };
  const notices = [...(conversation?.notices ?? [])];
  const noticesBefore = (seq: number) => {
    while (notices[0] !== undefined && notices[0].seq < seq) {
      const [notice] = notices.splice(0, 1) as [Notice];
      enter('', notice.at);
      lines.push({ kind: 'notice', key: `notice ${notice.seq}`, notice });
    }
  };
  const changes = byMessage(entries);
  for (const held of conversation?.messages ?? []) {
    noticesBefore(held.seq);
    const done = changes.get(held.seq) ?? NOTHING;
    changes.delete(held.seq);
    const message = withPending(held, done, me);
    const mine = message.sender === me;
    let joined = enter(message.sender, message.at);
    if (!marked && !mine && message.seq > (readBefore ?? 0)) {
      marked = true;
      joined = false;
      lines.push({ kind: 'new', key: 'new' });
    }
    const receipt = mine && conversation !== undefined ? receiptOf(conversation, message.seq, me) : null;
    // Mine keep the key that they had while they waited; others choose their ids themselves, so those are not keys.
    const key = mine && message.id !== '' ? message.id : `seq ${message.seq}`;
    const reply = conversation === undefined ? null : answered(conversation, message);
    lines.push({ kind: 'message', key, message, reply, changes: done, mine, joined, receipt });
  }
  noticesBefore(Number.POSITIVE_INFINITY);
  const stored = new Set(conversation?.messages.filter(({ sender }) => sender === me).map(({ id }) => id));
  for (const entry of entries) {
    // What is done to a message is shown there; where that is not here, only what went wrong needs an eye.
    if (
      entry.kind === 'send' ? stored.has(entry.id) : entry.status !== 'failed' || !changes.has(entry.message)
    )
      continue;
    const joined = enter(me, new Date(entry.composedAt).toISOString());
    lines.push({ kind: 'waiting', key: entry.id, entry, joined });
  }
  return lines;
}

function byMessage(entries: readonly ConversationEntry[]): Map<number, ChangeEntry[]> {
  const found = new Map<number, ChangeEntry[]>();
  for (const entry of entries.filter(isChange))
    found.set(entry.message, [...(found.get(entry.message) ?? []), entry]);
  return found;
}
