/** What is said, what is done to it, and how far people have come (PROTOCOL §4). */
import type { MessageFrame } from '../../net/frames.ts';
import { changeOf, type Recent, said, withRecent } from '../changes.ts';
import { withChangedLast, withDelivered, withRead, withSaid } from '../conversation.ts';
import { withListedChange } from '../listings.ts';
import { type Conversation, emptyConversation, isExplained, type Message, type State } from '../state.ts';
import { emptyTimeline, timelineKey, withChanged, withLive } from '../timeline.ts';
import type { Changes, Frames } from './change.ts';
import { changed, withConversation, withTimeline } from './held.ts';
import { withoutTyping } from './presence.ts';

const MAX_UNKNOWN = 100;

export const messageChanges: Changes<'sent' | 'changed' | 'read'> = {
  sent: (state, { conversation, participants, thread, message, live }) =>
    thread === null
      ? withArrived(state, conversation, participants, message, live)
      : withReply(state, conversation, thread, message, live),
  changed: (state, { recent }) => foldRecent(state, recent),
  read: (state, { conversation, seq }) =>
    changed(state, conversation, (held) => withRead(held, state.me, seq)),
};

export const messageFrames: Frames<
  'message' | 'edited' | 'deleted' | 'reaction' | 'pin' | 'marker' | 'delivered'
> = {
  message: (state, frame) => withoutTyping(withSaidFrame(state, frame), frame.conversation, frame.sender),
  edited: (state, frame) => foldRecent(state, changeOf(frame)),
  deleted: (state, frame) => foldRecent(state, changeOf(frame)),
  reaction: (state, frame) => foldRecent(state, changeOf(frame)),
  pin: (state, frame) => foldRecent(state, changeOf(frame)),
  marker: (state, { seq, conversation, user, read, thread, at }) => {
    if (thread === null) return withMarker(state, conversation, user, read);
    // How far others have read in a thread is shown nowhere.
    if (user !== state.me) return state;
    return foldRecent(state, {
      seq,
      conversation,
      message: thread,
      change: { type: 'thread_read', read, at },
    });
  },
  delivered: (state, { conversation, user, upto }) =>
    changed(state, conversation, (held) => withDelivered(held, user, upto)),
};

/** Kept also where nothing is known of the conversation yet: the page that is on its way may be older. */
function withMarker(state: State, id: string, user: string, read: number): State {
  if (state.gone.has(id)) return state;
  const held = state.conversations.get(id) ?? emptyConversation(id, []);
  const next = withRead(held, user, read);
  return next === held ? state : withConversation(state, next);
}

function withSaidFrame(state: State, frame: MessageFrame): State {
  const { conversation, thread, participants } = frame;
  return thread === null
    ? withArrived(state, conversation, participants ?? null, said(frame), true)
    : withReply(state, conversation, thread, said(frame), true);
}

function withArrived(
  state: State,
  id: string,
  participants: readonly string[] | null,
  message: Message,
  live: boolean,
): State {
  if (state.gone.has(id)) return state;
  const held = state.conversations.get(id) ?? emptyConversation(id, []);
  const named = participants !== null && held.participants.length === 0 ? { ...held, participants } : held;
  const next = withSaid(named, [message], state.me);
  const kept = withConversation(state, next);
  const known = (isExplained(next) && isFound(next, state)) || state.unknown.includes(id);
  const asked = known ? kept : { ...kept, unknown: [...state.unknown, id].slice(-MAX_UNKNOWN) };
  if (!live) return asked;
  return withTimeline(asked, withLive(asked.timelines.get(id) ?? emptyTimeline(id), message));
}

/** What is said moves it to the top of the list: on the pages that are still to come it is no more. */
function isFound({ listed }: Conversation, { list, listNext }: State): boolean {
  return listed || (list.status === 'done' && listNext === null);
}

/** What is said in a thread stands beside the conversation, which counts it; it is kept where the thread is open. */
function withReply(
  state: State,
  conversation: string,
  thread: number,
  message: Message,
  live: boolean,
): State {
  if (!live) return state;
  const { seq, at, sender, mentions } = message;
  const { me } = state;
  const change = { type: 'replied', seq, at, sender, me, mentioned: mentions.includes(me) } as const;
  const counted = foldRecent(state, { seq, conversation, message: thread, change });
  const timeline = counted.timelines.get(timelineKey(conversation, thread));
  return timeline === undefined ? counted : withTimeline(counted, withLive(timeline, message));
}

/** Remembered also where the message is not here: a page that is on its way may bring it as it was before. */
function foldRecent(state: State, next: Recent): State {
  const recent = withRecent(state.recent, next);
  if (recent === state.recent) return state;
  const { conversation, message, change } = next;
  const remembered = changed({ ...state, recent }, conversation, (held) =>
    withChangedLast(held, message, change),
  );
  const of = [state.timelines.get(conversation), threadIn(state, conversation)];
  return of.reduce(
    (so, timeline) => (timeline ? withTimeline(so, withChanged(timeline, message, change)) : so),
    withListedChange(remembered, next),
  );
}

/** The open thread, if it is one of this conversation. */
function threadIn({ thread, timelines }: State, conversation: string) {
  const timeline = thread === null ? undefined : timelines.get(thread);
  return timeline?.conversation === conversation ? timeline : undefined;
}
