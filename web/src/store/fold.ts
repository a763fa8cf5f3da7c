/**
 * The one fold: state and change give state. Changes are the frames of a session, the pages of history, and what
 * this client itself did. Events are applied by seq, so a page that already has them and a frame that brings them
 * again leave the same state (CON5).
 */
import type {
  ConversationItem,
  MemberFrame,
  MessageFrame,
  MessageItem,
  Page,
  RoomFrame,
  ServerFrame,
  UserItem,
} from '../net/frames.ts';
import { type Block, withBlocks, withRecentBlock } from './blocks.ts';
import { changeOf, type Recent, said, withChangesSince, withRecent } from './changes.ts';
import {
  emptyConversation,
  trimmed,
  withChanged,
  withDelivered,
  withItem,
  withMessages,
  withRead,
} from './conversation.ts';
import {
  type Gone,
  isGoing,
  noticeOfMember,
  noticeOfRoom,
  type Told,
  withGone,
  withNotice,
  withTold,
  withWord,
} from './rooms.ts';
import {
  type Conversation,
  directKey,
  idOfKey,
  initialState,
  keyOf,
  type Message,
  type Reading,
  roomKey,
  roomOfKey,
  type State,
} from './state.ts';

/** PROTOCOL §4: how long `typing` is believed. */
export const TYPING_MS = 5_000;
/** A conversation that is not on the screen keeps at most twice this many messages. */
export const KEPT_MESSAGES = 200;
const MAX_UNKNOWN = 100;

export type Change =
  | { type: 'frame'; frame: ServerFrame; now: number }
  /** The `ok` of a send, in its place among the events (EVT2). */
  | { type: 'sent'; conversation: string; participants: readonly string[] | null; message: Message }
  /** The `ok` of an edit, a deletion or a reaction, in its place among the events (EVT2). */
  | { type: 'changed'; recent: Recent }
  /** The `ok` of a block or an unblock, in its place among the events (EVT2). */
  | { type: 'blocked'; block: Block }
  /** The `ok` of making or joining a room, or of leaving one, in its place among the events (EVT2). */
  | { type: 'entered'; conversation: string; id: string; position: string | null }
  | { type: 'left'; conversation: string }
  /** All that this person has blocked, as history has it. */
  | { type: 'blocks_read'; generation: number; users: readonly string[] }
  | { type: 'list_page'; generation: number; page: Page<ConversationItem>; wholeFirst: boolean }
  /** One row of the list, read by itself. */
  | { type: 'row'; generation: number; item: ConversationItem }
  | { type: 'list_failed'; generation: number; message: string }
  | {
      type: 'messages_page';
      generation: number;
      key: string;
      participants: readonly string[];
      /** The page is the one right before this seq; null for the newest. */
      before: number | null;
      page: Page<MessageItem>;
    }
  | { type: 'reading'; generation: number; key: string; reading: Reading }
  /** This user has read up to here, on this device. */
  | { type: 'read'; conversation: string; seq: number }
  | { type: 'opened'; key: string | null }
  | { type: 'met'; people: readonly UserItem[] }
  /** The session ended: what only a live session knows is unknown again. */
  | { type: 'disconnected' }
  | { type: 'tick'; now: number };

export function fold(state: State, change: Change): State {
  switch (change.type) {
    case 'frame':
      return foldFrame(state, change.frame, change.now);
    case 'sent':
      return withArrived(state, change.conversation, change.participants, change.message);
    case 'changed':
      return foldRecent(state, change.recent);
    case 'blocked':
      return foldBlock(state, change.block);
    case 'blocks_read':
      // As with messages: what was read may be older than what the session has told since.
      return change.generation === state.generation
        ? { ...state, blocked: withBlocks(change.users, state.recentBlocks), blocksRead: true }
        : state;
    case 'list_page':
      return change.generation === state.generation ? foldList(state, change.page, change.wholeFirst) : state;
    case 'row':
      return change.generation === state.generation ? withRow(state, change.item) : state;
    case 'entered':
      return withEntered(state, change.conversation, change.id, change.position);
    case 'left':
      return withoutRoom(state, change.conversation, 'left', state.me);
    case 'list_failed':
      return change.generation === state.generation
        ? { ...state, list: { status: 'failed', message: change.message } }
        : state;
    case 'messages_page':
      return change.generation === state.generation ? foldMessages(state, change) : state;
    case 'reading':
      return change.generation === state.generation ? withReading(state, change.key, change.reading) : state;
    case 'read':
      return changed(state, change.conversation, (held) => withRead(held, state.me, change.seq));
    case 'opened':
      return foldOpened(state, change.key);
    case 'met':
      return foldMet(state, change.people);
    case 'disconnected':
      return state.presence.size === 0 && state.typing.size === 0
        ? state
        : { ...state, presence: new Map(), typing: new Map() };
    case 'tick':
      return withoutOldTyping(state, change.now);
  }
}

function foldFrame(state: State, frame: ServerFrame, now: number): State {
  switch (frame.type) {
    case 'reset':
      // What was cached belongs to another past. What is on the screen is read again, not left.
      return {
        ...initialState(state.me),
        generation: state.generation + 1,
        minPosition: frame.position,
        names: state.names,
        open: state.open,
      };
    case 'message':
      return withoutTyping(withSaid(state, frame), frame.conversation, frame.sender);
    case 'edited':
    case 'deleted':
    case 'reaction':
    case 'pin':
      return foldRecent(state, changeOf(frame));
    case 'block':
      return foldBlock(state, { seq: frame.seq, user: frame.user, blocked: frame.blocked });
    case 'member':
      return foldMember(state, frame);
    case 'room':
      return foldRoom(state, frame);
    case 'preferences': {
      const { seq, conversation, muted } = frame;
      return foldTold(state, { seq, conversation, muted });
    }
    case 'profile':
      return foldMet(state, [frame]);
    case 'marker':
      // Of a thread: nothing here shows how far one has read there.
      return frame.thread === null ? withMarker(state, frame.conversation, frame.user, frame.read) : state;
    case 'delivered':
      return changed(state, frame.conversation, (held) => withDelivered(held, frame.user, frame.upto));
    case 'presence': {
      const presence = new Map(state.presence).set(frame.user, {
        status: frame.status,
        lastSeen: frame.lastSeen,
      });
      // Whoever is gone does not go on typing.
      const there = frame.status === 'offline' ? withoutTypist(state, frame.user) : state;
      return { ...there, presence };
    }
    case 'typing': {
      if (frame.user === state.me || !state.conversations.has(frame.conversation)) return state;
      const there = new Map(state.typing.get(frame.conversation)).set(frame.user, now + TYPING_MS);
      return { ...state, typing: new Map(state.typing).set(frame.conversation, there) };
    }
    default:
      return state;
  }
}

/** Kept also where nothing is known of the conversation yet: the page that is on its way may be older. */
function withMarker(state: State, id: string, user: string, read: number): State {
  if (state.gone.has(id)) return state;
  const held = state.conversations.get(id) ?? emptyConversation(id, []);
  const next = withRead(held, user, read);
  return next === held ? state : withConversation(state, next);
}

/** What is said in a thread stands beside the conversation: all that is shown of it is that there is one more. */
function withSaid(state: State, frame: MessageFrame): State {
  const { seq, conversation, thread, participants, at } = frame;
  if (thread === null) return withArrived(state, conversation, participants ?? null, said(frame));
  return foldRecent(state, { seq, conversation, message: thread, change: { type: 'replied', seq, at } });
}

function withArrived(
  state: State,
  id: string,
  participants: readonly string[] | null,
  message: Message,
): State {
  if (state.gone.has(id)) return state;
  const held = state.conversations.get(id) ?? emptyConversation(id, []);
  const named = participants !== null && held.participants.length === 0 ? { ...held, participants } : held;
  let next = withMessages(named, [message]);
  if (keyOf(next) !== state.open && next.messages.length > 2 * KEPT_MESSAGES) {
    next = trimmed(next, state.me, KEPT_MESSAGES);
  }
  const kept = withConversation(state, next);
  const unexplained = next.room === null && next.participants.length === 0 && !state.unknown.includes(id);
  return unexplained ? { ...kept, unknown: [...state.unknown, id].slice(-MAX_UNKNOWN) } : kept;
}

/** Remembered also where the message is not here: a page that is on its way may bring it as it was before. */
function foldRecent(state: State, next: Recent): State {
  const recent = withRecent(state.recent, next);
  if (recent === state.recent) return state;
  return changed({ ...state, recent }, next.conversation, (held) =>
    withChanged(held, next.message, next.change),
  );
}

function foldBlock(state: State, next: Block): State {
  const recentBlocks = withRecentBlock(state.recentBlocks, next);
  if (recentBlocks === state.recentBlocks) return state;
  return { ...state, recentBlocks, blocked: withBlocks(state.blocked, [next]) };
}

/**
 * Items of a page, as new as what the session has told. Positions can't be compared, so all that is remembered is done
 * again: the last word of the log on each text and each reaction stands, whether the page had it or not. A message of
 * which nothing is remembered is at least as new in the page as it is here.
 */
function withPage(state: State, held: Conversation, items: readonly MessageItem[]): Conversation {
  const recent = state.recent.filter(({ conversation }) => conversation === held.id);
  const messages = items.map(({ conversation: _, thread: __, ...item }) => withChangesSince(item, recent));
  return withMessages(held, messages, (seq) => recent.every(({ message }) => message !== seq));
}

function foldList(state: State, page: Page<ConversationItem>, wholeFirst: boolean): State {
  const next = page.items.reduce(withRow, state);
  return wholeFirst
    ? { ...next, list: { status: 'done' }, listNext: page.next }
    : { ...next, listNext: page.next };
}

/** A row, as new as what the session has told: a room that one left meanwhile is not back. */
function withRow(state: State, item: ConversationItem): State {
  const { conversation: id, participants, lastMessage } = item;
  if (state.gone.has(id)) return state;
  const held = state.conversations.get(id) ?? emptyConversation(id, participants);
  const row = state.told
    .filter(({ conversation }) => conversation === id)
    .reduce(withWord, withItem(held, item, state.me));
  return withConversation(state, lastMessage === null ? row : withPage(state, row, [lastMessage]));
}

/** Remembered also where the room is not here yet, as what is done to messages is. */
function foldTold(state: State, word: Told): State {
  const told = withTold(state.told, word);
  if (told === state.told) return state;
  return changed({ ...state, told }, word.conversation, (held) => withWord(held, word));
}

function foldRoom(state: State, frame: RoomFrame): State {
  const { seq, position, conversation, name, topic, visibility, archived, by, id } = frame;
  const noticed = changed(state, conversation, (held) => withNotice(held, noticeOfRoom(held.room, frame)));
  const next = foldTold(noticed, { seq, conversation, room: { name, topic, visibility, archived } });
  return by === state.me && id !== '' && !state.conversations.has(conversation)
    ? withEntered(next, conversation, id, position)
    : next;
}

function foldMember(state: State, frame: MemberFrame): State {
  const { conversation, user, change, by, id, position } = frame;
  if (user !== state.me)
    return changed(state, conversation, (held) => withNotice(held, noticeOfMember(frame)));
  if (change === 'joined') return withEntered(state, conversation, by === state.me ? id : '', position);
  return isGoing(change) ? withoutRoom(state, conversation, change, by) : state;
}

/** One is in it from now on; what it is, history tells, once it is as new as this. */
function withEntered(state: State, conversation: string, id: string, position: string | null): State {
  const gone = new Map(state.gone);
  gone.delete(conversation);
  const entered = id === '' ? state.entered : { id, conversation };
  return { ...state, gone, entered, minPosition: position ?? state.minPosition };
}

/** Who is in a room no more is told nothing of it: what was here of it gets old, and is let go. */
function withoutRoom(state: State, id: string, change: Gone['change'], by: string): State {
  const conversations = new Map(state.conversations);
  const readings = new Map(state.readings);
  const typing = new Map(state.typing);
  const name = conversations.get(id)?.room?.name ?? state.gone.get(id)?.name ?? '';
  conversations.delete(id);
  readings.delete(roomKey(id));
  typing.delete(id);
  const elsewhere = ({ conversation }: { conversation: string }) => conversation !== id;
  return {
    ...state,
    ...{ conversations, readings, typing },
    recent: state.recent.filter(elsewhere),
    told: state.told.filter(elsewhere),
    unknown: state.unknown.filter((other) => other !== id),
    gone: withGone(state.gone, id, { name, change, by }),
  };
}

function foldMessages(state: State, change: Change & { type: 'messages_page' }): State {
  const { page, before, key, participants } = change;
  const id = page.items[0]?.conversation ?? idOfKey(state, key);
  // One left the room while its page was read.
  if (roomOfKey(key) !== null && (id === undefined || !state.conversations.has(id))) return state;
  const done = withReading(state, key, { status: 'done' });
  if (id === undefined) return done;
  const known = state.conversations.get(id) ?? emptyConversation(id, participants);
  const held = known.participants.length === 0 ? { ...known, participants } : known;
  // The page joins what is held only where it was asked for: after a trim it would leave a hole.
  if (before !== null && held.messages[0]?.seq !== before) return done;
  const next = withPage(state, held, page.items);
  return withConversation(done, { ...next, older: page.next !== null });
}

function foldOpened(state: State, key: string | null): State {
  if (key === state.open) return state;
  const left = state.open === null ? undefined : idOfKey(state, state.open);
  const next =
    left === undefined ? state : changed(state, left, (held) => trimmed(held, state.me, KEPT_MESSAGES));
  return { ...next, open: key };
}

function foldMet(state: State, people: readonly Pick<UserItem, 'user' | 'displayName'>[]): State {
  const news = people.filter(({ user, displayName }) => state.names.get(user) !== displayName);
  if (news.length === 0) return state;
  const names = new Map(state.names);
  for (const { user, displayName } of news) names.set(user, displayName);
  return { ...state, names };
}

function withReading(state: State, key: string, reading: Reading): State {
  return { ...state, readings: new Map(state.readings).set(key, reading) };
}

function withConversation(state: State, conversation: Conversation): State {
  if (state.conversations.get(conversation.id) === conversation) return state;
  const conversations = new Map(state.conversations).set(conversation.id, conversation);
  if (conversation.kind !== 'direct' || conversation.participants.length === 0)
    return { ...state, conversations };
  const key = directKey(conversation.participants);
  const direct = state.direct.has(key) ? state.direct : new Map(state.direct).set(key, conversation.id);
  return { ...state, conversations, direct };
}

function changed(state: State, id: string, change: (held: Conversation) => Conversation): State {
  const held = state.conversations.get(id);
  return held === undefined ? state : withConversation(state, change(held));
}

function withoutTyping(state: State, conversation: string, user: string): State {
  const there = state.typing.get(conversation);
  if (there?.has(user) !== true) return state;
  const rest = new Map(there);
  rest.delete(user);
  return { ...state, typing: new Map(state.typing).set(conversation, rest) };
}

function withoutTypist(state: State, user: string): State {
  return [...state.typing.keys()].reduce((rest, id) => withoutTyping(rest, id, user), state);
}

function withoutOldTyping(state: State, now: number): State {
  const typing = new Map<string, ReadonlyMap<string, number>>();
  let ended = false;
  for (const [conversation, there] of state.typing) {
    const still = new Map([...there].filter(([, until]) => until > now));
    if (still.size < there.size) ended = true;
    if (still.size > 0) typing.set(conversation, still);
  }
  return ended || typing.size < state.typing.size ? { ...state, typing } : state;
}
