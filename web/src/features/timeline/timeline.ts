/** The lines of a timeline: stored messages with their days, as they will be when all is sent; then what is not sent. */

import { type Calendar, dayOf } from '../../kit/time.ts';
import type { ReplyItem } from '../../net/frames.ts';
import { isAbout } from '../../outbox/commands/commands.ts';
import { isChange, withPending } from '../../outbox/pending.ts';
import type { ChangeEntry, ConversationEntry, Queue } from '../../outbox/queue.ts';
import { type Receipt, receiptOf } from '../../store/conversation.ts';
import type { Notice } from '../../store/rooms.ts';
import { type Conversation, directKey, type Message, roomOfKey } from '../../store/state.ts';
import { answered, shownSegment, type Timeline } from '../../store/timeline.ts';

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
      /** It mentions this person, or everybody. */
      forMe: boolean;
      receipt: Receipt | null;
    }
  | { kind: 'waiting'; key: string; entry: ConversationEntry; joined: boolean };

type MessageLine = Extract<Line, { kind: 'message' }>;

/** Messages of one person within this time stand together. */
const TOGETHER_MS = 5 * 60_000;
const NOTHING: readonly ChangeEntry[] = [];

export function entriesOf(
  queue: Queue,
  key: string,
  conversation: Conversation | undefined,
  /** What waits in this thread, rather than outside of threads. */
  thread: number | null = null,
): ConversationEntry[] {
  return queue.entries
    .filter((entry) => isAbout(entry, 'said', 'message'))
    .filter((entry) => entry.kind !== 'send' || (entry.thread ?? null) === thread)
    .filter(({ to }) =>
      'conversation' in to
        ? to.conversation === (conversation?.id ?? roomOfKey(key))
        : directKey(to.participants) === key,
    );
}

export function linesOf(
  conversation: Conversation | undefined,
  timeline: Timeline | undefined,
  entries: readonly ConversationEntry[],
  me: string,
  /** Where the reader had been when the conversation was opened. */
  readBefore: number | null,
  calendar: Pick<Calendar, 'timeZone'>,
): Line[] {
  const lines: Line[] = [];
  const segment = timeline && shownSegment(timeline);
  const messages = segment?.messages ?? [];
  let before: { sender: string; day: string; ms: number } | null = null;
  // Where what is here begins later, so may what is new.
  const begins = segment === undefined || segment.older === false || segment.from <= (readBefore ?? 0);
  let marked = readBefore === null || !begins;
  const enter = (sender: string, at: string): boolean => {
    const day = dayOf(at, calendar);
    const ms = Date.parse(at);
    const newDay = before?.day !== day;
    if (newDay) lines.push({ kind: 'day', key: `day ${day}`, at });
    const joined = !newDay && before?.sender === sender && ms - before.ms < TOGETHER_MS;
    before = { sender, day, ms };
    return joined;
  };
  const notices = conversation?.notices ?? [];
  // Those that were before what is here are not told at its top.
  let told = segment?.older === true ? notices.filter(({ seq }) => seq < segment.from).length : 0;
  const noticesBefore = (seq: number) => {
    for (let notice = notices[told]; notice !== undefined && notice.seq < seq; notice = notices[told]) {
      told += 1;
      enter('', notice.at);
      lines.push({ kind: 'notice', key: `notice ${notice.seq}`, notice });
    }
  };
  const changes = byMessage(entries);
  for (const held of messages) {
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
    const reply = timeline === undefined ? null : answered(timeline, message);
    const forMe = !mine && (message.mentionsRoom || message.mentions.includes(me));
    lines.push(
      asBefore(held, { kind: 'message', key, message, reply, changes: done, mine, joined, forMe, receipt }),
    );
  }
  // In the middle there is more to come before what happened since and what is still to be said.
  if (segment?.newer === true) return lines;
  noticesBefore(Number.POSITIVE_INFINITY);
  const stored = new Set(messages.filter(({ sender }) => sender === me).map(({ id }) => id));
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

const made = new WeakMap<Message, MessageLine>();

/** The line that was made of this message the last time, where it says the same: then nothing of it is drawn again. */
function asBefore(held: Message, line: MessageLine): MessageLine {
  const before = made.get(held);
  if (before !== undefined && isSame(before, line)) return before;
  made.set(held, line);
  return line;
}

function isSame(a: MessageLine, b: MessageLine): boolean {
  const sameReply =
    a.reply === b.reply ||
    (a.reply !== null &&
      b.reply !== null &&
      a.reply.seq === b.reply.seq &&
      a.reply.sender === b.reply.sender &&
      a.reply.text === b.reply.text &&
      a.reply.deleted === b.reply.deleted);
  return (
    sameReply &&
    a.key === b.key &&
    a.message === b.message &&
    a.changes === b.changes &&
    a.mine === b.mine &&
    a.joined === b.joined &&
    a.forMe === b.forMe &&
    a.receipt === b.receipt
  );
}

function byMessage(entries: readonly ConversationEntry[]): Map<number, ChangeEntry[]> {
  const found = new Map<number, ChangeEntry[]>();
  for (const entry of entries.filter(isChange))
    found.set(entry.message, [...(found.get(entry.message) ?? []), entry]);
  return found;
}
