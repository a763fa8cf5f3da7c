/** What is done to messages after they were said: edits, deletions, reactions, pins, threads (PROTOCOL §4). */
import type { DeletedFrame, EditedFrame, PinFrame, ReactionFrame, ReactionOp } from '../net/frames.ts';
import { beginning } from './reply.ts';
import type { Message, Reaction, Replies } from './state.ts';

export type MessageChange =
  | Pick<EditedFrame, 'type' | 'by' | 'text' | 'at'>
  | Pick<DeletedFrame, 'type'>
  | Pick<ReactionFrame, 'type' | 'user' | 'emoji' | 'op'>
  | Pick<PinFrame, 'type' | 'op'>
  /** Something was said in its thread, which may mention this person (`me`). */
  | { type: 'replied'; seq: number; at: string; sender: string; me: string; mentioned: boolean }
  /** This person has read its thread up to here. */
  | { type: 'thread_read'; read: number; at: string };

/** A change at its place in the log. */
export interface Recent {
  seq: number;
  conversation: string;
  message: number;
  change: MessageChange;
}

/** A page is read in seconds; more than this does not happen to one person's conversations meanwhile. */
const MAX_RECENT = 1_000;
/** Unread replies that are known one by one; of a longer thread all that is read at once is known. */
const MAX_NEWS = 100;

export type ChangeFrame = EditedFrame | DeletedFrame | ReactionFrame | PinFrame;

export function changeOf(frame: ChangeFrame): Recent {
  const { seq, conversation, message } = frame;
  return { seq, conversation, message, change: changeIn(frame) };
}

function changeIn(frame: ChangeFrame): MessageChange {
  switch (frame.type) {
    case 'edited':
      return { type: 'edited', by: frame.by, text: frame.text, at: frame.at };
    case 'deleted':
      return { type: 'deleted' };
    case 'reaction':
      return { type: 'reaction', user: frame.user, emoji: frame.emoji, op: frame.op };
    case 'pin':
      return { type: 'pin', op: frame.op };
  }
}

/** The next one in the log's order; the same list for one that has been taken in. */
export function withRecent(recent: readonly Recent[], next: Recent): readonly Recent[] {
  return next.seq <= (recent.at(-1)?.seq ?? 0) ? recent : [...recent.slice(1 - MAX_RECENT), next];
}

/** A message as it was said, before anything was done to it. */
export function said(
  message: Pick<Message, 'seq' | 'sender' | 'id' | 'text' | 'at'> &
    Partial<Pick<Message, 'replyTo' | 'mentions' | 'mentionsRoom'>>,
): Message {
  const { seq, sender, id, text, at, replyTo = null, mentions = [], mentionsRoom = false } = message;
  return {
    ...{ seq, sender, id, text, at, editedAt: null, deleted: false, reactions: [] },
    ...{ replyTo, reply: null, replies: null, mentions, mentionsRoom, pinned: false },
  };
}

/** The same message where the change is none. A delete wins over all that is said of the message itself after it. */
export function withChange(message: Message, change: MessageChange): Message {
  if (change.type === 'replied') return withReplied(message, change);
  if (change.type === 'thread_read') return withThreadRead(message, change);
  if (message.deleted) return message;
  switch (change.type) {
    case 'edited':
      return change.by === message.sender ? { ...message, text: change.text, editedAt: change.at } : message;
    case 'deleted':
      return {
        ...{ ...message, text: '', editedAt: null, deleted: true, reactions: [] },
        ...{ mentions: [], mentionsRoom: false, pinned: false },
      };
    case 'pin': {
      const pinned = change.op === 'add';
      return pinned === message.pinned ? message : { ...message, pinned };
    }
    case 'reaction': {
      const reactions = withReaction(message.reactions, change.emoji, change.user, change.op);
      return reactions === message.reactions ? message : { ...message, reactions };
    }
  }
}

/** The same for what is shown of the message that it answers. */
export function withAnsweredChange(message: Message, change: MessageChange): Message {
  const { reply } = message;
  if (reply === null || reply.deleted) return message;
  if (change.type === 'deleted') return { ...message, reply: { ...reply, text: '', deleted: true } };
  if (change.type !== 'edited' || change.by !== reply.sender) return message;
  return { ...message, reply: { ...reply, text: beginning(change.text) } };
}

/** A message of a page, with what was done before and after the page was read: the last word stands either way. */
export function withChangesSince(message: Message, recent: readonly Recent[]): Message {
  return recent.reduce(
    (so, { message: about, change }) => {
      if (about === so.replyTo) return withAnsweredChange(so, change);
      return about === so.seq ? withChange(so, change) : so;
    },
    withNews(message, recent),
  );
}

/** A reading takes away what came before it: so what came at all has to be known before it is done again. */
function withNews(message: Message, recent: readonly Recent[]): Message {
  if (message.replies === null) return message;
  const news = recent.flatMap(({ message: about, change }) =>
    about === message.seq && change.type === 'replied' && change.sender !== change.me
      ? [{ seq: change.seq, at: change.at }]
      : [],
  );
  return news.length === 0
    ? message
    : { ...message, replies: { ...message.replies, news: news.slice(-MAX_NEWS) } };
}

/**
 * Replies are counted, each once: a page does not say which it has, but for when the last of them was said. Who began
 * a thread, was mentioned in it or answered in it follows it; answering reads up to the answer.
 */
function withReplied(message: Message, reply: Extract<MessageChange, { type: 'replied' }>): Message {
  const { seq, at, sender, me, mentioned } = reply;
  const replies = message.replies ?? { count: 0, lastAt: '' };
  const { count, lastAt, lastSeq, unread } = replies;
  const counted = lastSeq === undefined ? at <= lastAt : seq <= lastSeq;
  const mine = sender === me;
  const known = replies.news ?? [];
  const news = mine
    ? known.filter((later) => later.seq > seq)
    : known.some((one) => one.seq === seq)
      ? known
      : [...known.slice(1 - MAX_NEWS), { seq, at }];
  if (counted) return mine || news === known ? message : { ...message, replies: { ...replies, news } };
  const follows = unread !== undefined || mentioned || message.sender === me;
  const next: Replies = { count: count + 1, lastAt: at > lastAt ? at : lastAt, lastSeq: seq, news };
  if (mine) return { ...message, replies: { ...next, unread: 0 } };
  return {
    ...message,
    replies: follows
      ? { ...next, unread: (unread ?? known.filter((before) => before.seq < seq).length) + 1 }
      : next,
  };
}

function withThreadRead(
  message: Message,
  { read, at }: Extract<MessageChange, { type: 'thread_read' }>,
): Message {
  const { replies } = message;
  // A page that has what was said after this reading was read after it, too.
  if (replies === null || replies.lastAt > at) return message;
  const { unread, lastAt } = replies;
  const news = (replies.news ?? []).filter(({ seq }) => seq > read);
  // What is not counted yet is not what is left.
  const counted = news.filter((one) => one.at <= lastAt).length;
  const left = unread === undefined ? {} : { unread: Math.min(counted, unread) };
  return { ...message, replies: { ...replies, news, ...left } };
}

function withReaction(
  reactions: readonly Reaction[],
  emoji: string,
  user: string,
  op: ReactionOp,
): readonly Reaction[] {
  const held = reactions.find((reaction) => reaction.emoji === emoji);
  const there = held?.users.includes(user) === true;
  if (there === (op === 'add')) return reactions;
  if (op === 'add') {
    if (held === undefined) return [...reactions, { emoji, users: [user], count: 1 }];
    return replaced(reactions, { ...held, users: [...held.users, user], count: held.count + 1 });
  }
  if (held === undefined) return reactions;
  const users = held.users.filter((other) => other !== user);
  return held.count <= 1
    ? reactions.filter((reaction) => reaction !== held)
    : replaced(reactions, { ...held, users, count: held.count - 1 });
}

function replaced(reactions: readonly Reaction[], next: Reaction): Reaction[] {
  return reactions.map((reaction) => (reaction.emoji === next.emoji ? next : reaction));
}
