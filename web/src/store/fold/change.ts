/** What can happen to what is known, and the tables that say what becomes of it. */
import type { ConversationItem, MessageItem, Page, ServerFrame, UserItem } from '../../net/frames.ts';
import type { Fault } from '../../net/problem.ts';
import type { BesideChange } from '../beside.ts';
import type { Block } from '../blocks.ts';
import type { Recent } from '../changes.ts';
import type { DirectoryChange } from '../directory.ts';
import type { ListingChange } from '../listings.ts';
import type { MembersChange } from '../members.ts';
import type { Told } from '../rooms.ts';
import type { Message, Reading, State } from '../state.ts';
import type { Place, TimelineKey } from '../timeline.ts';

export type Change =
  | { type: 'frame'; frame: ServerFrame; now: number }
  /** What an earlier page knew at this position is known again (`snapshot.ts`); of some lines only what was said before a reset. */
  | { type: 'restored'; position: string; before: State['timelines']; uncounted: readonly string[] }
  /** The `ok` of a send. Of a repeat (CMD2) it is not in its place among the events (EVT2): then it is not `live`. */
  | {
      type: 'sent';
      conversation: string;
      participants: readonly string[] | null;
      thread: number | null;
      message: Message;
      live: boolean;
    }
  /** The `ok` of an edit, a deletion or a reaction, in its place among the events (EVT2). */
  | { type: 'changed'; recent: Recent }
  /** The `ok` of a block or an unblock, in its place among the events (EVT2). */
  | { type: 'blocked'; block: Block }
  /** The `ok` of making or joining a room, or of leaving one, in its place among the events (EVT2). */
  | {
      type: 'entered';
      conversation: string;
      id: string;
      position: string | null;
      /** Who was to be in a room that was made, and is not. */
      refused: readonly string[];
    }
  | { type: 'left'; conversation: string }
  /** The `ok` of a change to a room that is not known yet, in its place among the events (EVT2). */
  | { type: 'told'; word: Told }
  /** All that this person has blocked, as history has it. */
  | { type: 'blocks_read'; generation: number; users: readonly string[] }
  /** A page of the list; with the last one all that is stale and not in it is gone. */
  | { type: 'list_page'; generation: number; page: Page<ConversationItem> }
  /** One row of the list, read by itself. */
  | { type: 'row'; generation: number; item: ConversationItem }
  | { type: 'list_failed'; generation: number; fault: Fault }
  | {
      type: 'messages_page';
      generation: number;
      /** Of the conversation. */
      key: string;
      participants: readonly string[];
      thread: number | null;
      place: Place;
      page: Page<MessageItem>;
      /** The message to look at now. */
      show?: number | undefined;
    }
  /** The message with which a thread begins. */
  | { type: 'root_read'; generation: number; timeline: TimelineKey; item: MessageItem }
  | { type: 'reading'; generation: number; key: string; reading: Reading | null }
  /** This user has read up to here, on this device. */
  | { type: 'read'; conversation: string; seq: number }
  | { type: 'opened'; key: string | null }
  | { type: 'thread_opened'; timeline: TimelineKey | null }
  /** What is looked at, so that what is around it stays; null at the end. */
  | { type: 'shown'; timeline: TimelineKey; seq: number | null }
  | { type: 'met'; people: readonly UserItem[] }
  /** The session ended: what only a live session knows is unknown again. */
  | { type: 'disconnected' }
  | MembersChange
  | DirectoryChange
  | ListingChange
  | BesideChange
  | { type: 'tick'; now: number };

export type ChangeType = Change['type'];
export type FrameType = ServerFrame['type'];

/** What becomes of the state, by type of change. */
export type Changes<T extends ChangeType> = {
  readonly [K in T]: (state: State, change: Extract<Change, { type: K }>) => State;
};

/** The same for the frames of a session. */
export type Frames<T extends FrameType> = {
  readonly [K in T]: (state: State, frame: Extract<ServerFrame, { type: K }>, now: number) => State;
};
