/** What the session tells goes into the store; what it leaves open is asked of history. */
import type { Environment } from '../net/environment.ts';
import type { MemberFrame, MessageFrame, OkFrame, RoomFrame, ServerFrame } from '../net/frames.ts';
import { changeOf, isAbout } from '../outbox/commands/commands.ts';
import type { Drafts } from '../outbox/drafts.ts';
import type { Marks, ReadUpTo } from '../outbox/marks.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Entry } from '../outbox/queue.ts';
import type { ChangeFrame } from '../store/changes.ts';
import type { Store } from '../store/store.ts';
import { isUnsure, mayBeInThreads } from '../store/unread.ts';
import type { ServerClock } from './clock.ts';
import type { Delivered } from './delivered.ts';
import type { Reader } from './reader.ts';
import type { OwnStatus } from './status.ts';
import type { Typing } from './typing.ts';
import type { Watching } from './watching.ts';

export interface IncomingSurroundings {
  me: string;
  environment: Environment;
  store: Store;
  clock: ServerClock;
  reader: Reader;
  outbox: Outbox;
  marks: Marks;
  drafts: Drafts;
  status: OwnStatus;
  watching: Watching;
  typing: Typing;
  delivered: Delivered;
  /** CON5: begin again from here. */
  reset(position: string): void;
}

export class Incoming {
  readonly #around: IncomingSurroundings;
  /** Of the last change to a message: what asks for its versions wants to see that one, too. */
  #changedAt: string | null = null;

  constructor(around: IncomingSurroundings) {
    this.#around = around;
  }

  get changedAt(): string | null {
    return this.#changedAt;
  }

  receive(frame: ServerFrame): void {
    const { clock, outbox, marks, status, watching, typing, delivered } = this.#around;
    switch (frame.type) {
      case 'welcome':
        clock.told(frame.now);
        return;
      case 'ok':
      case 'error':
        if (outbox.answered(frame) || marks.answered(frame) || status.answered(frame)) return;
        watching.answered(frame);
        return;
      case 'reset':
        this.#changedAt = null;
        this.#apply(frame);
        if (frame.reason === 'other_log') this.#otherLog();
        this.#around.reset(frame.position);
        return;
      case 'caught_up':
        this.#apply(frame);
        delivered.caughtUp();
        return;
      case 'typing':
        this.#apply(frame);
        typing.heard();
        return;
      case 'message':
        this.#message(frame);
        return;
      case 'edited':
      case 'deleted':
      case 'reaction':
      case 'pin':
        this.#change(frame);
        return;
      case 'member':
      case 'room':
        this.#ofRoom(frame);
        return;
      case 'block':
      case 'preferences':
      case 'profile':
        this.#apply(frame);
        if (frame.id !== undefined) outbox.seen(frame.id);
        return;
      case 'marker':
        this.#apply(frame);
        this.#recount(frame.conversation);
        return;
      default:
        this.#apply(frame);
    }
  }

  /** The event that the other sessions get in place of this answer (EVT2). */
  sent(entry: Entry, ok: OkFrame): void {
    const { seq, position } = ok;
    if (seq === undefined) return;
    const { me, store, environment, clock, reader } = this.#around;
    const at = ok.at ?? clock.stamp();
    const now = environment.now();
    const change = changeOf(entry, { id: entry.id, seq, position, at, ok, me, state: store.state, now });
    if (change === null) return;
    if (change.type === 'changed' && position !== undefined) this.#changedAt = position;
    const { unknown } = store.state;
    store.apply(change);
    if (change.type === 'sent') this.#meet(change.conversation, unknown);
    if (entry.kind === 'send' && entry.thread !== undefined && ok.conversation !== undefined)
      reader.listings.replied(ok.conversation, entry.thread);
    if (entry.kind === 'pin' && entry.op === 'add') reader.listings.pinned(entry.to.conversation);
    if (change.type === 'entered') this.#enter(change.conversation);
    if (isAbout(entry, 'membership')) void reader.people.meet([entry.user]);
  }

  /** The same of a marker. */
  marked({ conversation, thread, read }: ReadUpTo, { seq, position, at: told }: OkFrame): void {
    if (seq === undefined || position === undefined) return;
    const { me: user, clock } = this.#around;
    const at = told ?? clock.stamp();
    // Also where it is shown as read already: the page that is on its way may be older.
    this.#apply({ type: 'marker', seq, position, conversation, user, read, thread, at });
    this.#recount(conversation);
  }

  /** What is still to be said or done may name messages that are others now. */
  #otherLog(): void {
    const { outbox, marks, drafts } = this.#around;
    outbox.otherLog();
    marks.forget();
    drafts.otherLog();
  }

  #apply(frame: ServerFrame): void {
    const { store, environment } = this.#around;
    store.apply({ type: 'frame', frame, now: environment.now() });
  }

  /** Some was read of what only history has counted, or may have been in threads: history counts again. */
  #recount(conversation: string): void {
    const { me, store, reader } = this.#around;
    const held = store.state.conversations.get(conversation);
    if (held === undefined) return;
    if (isUnsure(held, me) || mayBeInThreads(held)) void reader.rows.read(conversation);
  }

  #message(frame: MessageFrame): void {
    const { me, store, reader, outbox } = this.#around;
    const { unknown } = store.state;
    this.#apply(frame);
    if (frame.sender === me) outbox.seen(frame.id);
    if (frame.thread !== null) this.#reply(frame, frame.thread);
    void reader.people.meet(frame.participants ?? [frame.sender]);
    this.#meet(frame.conversation, unknown);
  }

  /** What conversation it is nobody said: history knows, once it is as new as what was said there. */
  #meet(conversation: string, before: readonly string[]): void {
    const { store, reader } = this.#around;
    if (store.state.unknown !== before) void reader.rows.read(conversation);
  }

  #reply({ conversation, sender, mentions, mentionsRoom }: MessageFrame, root: number): void {
    const { me, reader } = this.#around;
    reader.listings.replied(conversation, root);
    if (sender !== me && (mentionsRoom || mentions.some((user) => user === me)))
      void reader.rows.read(conversation);
  }

  #ofRoom(frame: MemberFrame | RoomFrame): void {
    const { me, reader, outbox } = this.#around;
    this.#apply(frame);
    if (frame.by === me) outbox.seen(frame.id);
    void reader.people.meet(frame.type === 'member' ? [frame.by, frame.user] : [frame.by]);
    if (frame.type === 'member' && frame.user === me && frame.change === 'joined')
      this.#enter(frame.conversation);
  }

  /** What the room is, and where it is on the screen already, what was said there. */
  #enter(conversation: string): void {
    const { reader } = this.#around;
    void reader.rows.read(conversation);
    reader.readOpen();
  }

  #change(frame: ChangeFrame): void {
    const { me, reader, outbox } = this.#around;
    this.#changedAt = frame.position;
    this.#apply(frame);
    if (frame.type === 'pin' && frame.op === 'add') reader.listings.pinned(frame.conversation);
    const by = frame.type === 'reaction' ? frame.user : frame.by;
    if (by === me) outbox.seen(frame.id);
  }
}
