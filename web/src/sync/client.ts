/**
 * One person's Natter in this page: the connection, what is known, and what is still to be said, wired together.
 * The parts decide; this passes on.
 */
import type { Auth } from '../net/auth.ts';
import { ConnectionDriver, type Socket } from '../net/connection/driver.ts';
import type { Connection } from '../net/connection/state.ts';
import type { Environment } from '../net/environment.ts';
import type {
  MemberFrame,
  MessageFrame,
  OkFrame,
  Page,
  ReactionOp,
  RoomFrame,
  RoomItem,
  ServerFrame,
  UserItem,
  VersionItem,
  Visibility,
} from '../net/frames.ts';
import type { History } from '../net/history.ts';
import { Problem } from '../net/problem.ts';
import { Marks } from '../outbox/marks.ts';
import { type AddOutcome, Outbox, type Tabs } from '../outbox/outbox.ts';
import { changeOfEntry, isOfRoom } from '../outbox/pending.ts';
import type { Entry, RoomEntry } from '../outbox/queue.ts';
import type { OutboxStorage } from '../outbox/storage.ts';
import { type FillRandom, Uuid7 } from '../outbox/uuid7.ts';
import { type ChangeFrame, said } from '../store/changes.ts';
import { TYPING_MS } from '../store/fold.ts';
import { idOfKey, peopleOfKey } from '../store/state.ts';
import { Store } from '../store/store.ts';
import { Reader } from './reader.ts';
import { Watching } from './watching.ts';

/** How often the others are told that somebody still types; they believe it for 5 s. */
const TYPING_EVERY_MS = 3_000;

export interface ClientParts {
  me: string;
  auth: Auth;
  history: History;
  environment: Environment;
  openSocket(): Socket;
  probe(): Promise<boolean>;
  storage: Promise<OutboxStorage>;
  tabs: Tabs;
  fillRandom: FillRandom;
}

export class Client {
  readonly me: string;
  readonly store: Store;
  readonly outbox: Outbox;
  readonly #parts: ClientParts;
  readonly #driver: ConnectionDriver;
  readonly #reader: Reader;
  readonly #marks: Marks;
  readonly #watching: Watching;
  readonly #uuid: Uuid7;
  readonly #typed = new Map<string, number>();
  readonly #endings: (() => void)[] = [];
  #serverAheadMs = 0;
  /** Of the last change to a message: what asks for its versions wants to see that one, too. */
  #changedAt: string | null = null;
  #lastRef = 0;
  #live = false;
  /** Whether there is something that pages can be read against: a reset, or no session in sight. */
  #readable = false;
  #cancelTick: (() => void) | null = null;

  constructor(parts: ClientParts) {
    const { environment, auth } = parts;
    this.#parts = parts;
    this.me = parts.me;
    this.store = new Store(parts.me);
    this.#uuid = new Uuid7(parts.fillRandom);
    this.#driver = new ConnectionDriver({
      environment,
      openSocket: parts.openSocket,
      probe: parts.probe,
      refreshToken: () => this.#refreshToken(),
    });
    const commands = {
      environment,
      makeId: () => this.#uuid.make(this.serverNow()),
      nextRef: () => {
        this.#lastRef += 1;
        return this.#lastRef;
      },
      send: this.#driver.send.bind(this.#driver),
    };
    this.outbox = new Outbox({
      ...commands,
      storage: parts.storage,
      tabs: parts.tabs,
      serverNow: () => this.serverNow(),
      sent: (entry, ok) => this.#sent(entry, ok),
    });
    this.#marks = new Marks(commands);
    this.#watching = new Watching({ ...commands, store: this.store });
    this.#reader = new Reader({
      me: parts.me,
      environment,
      history: parts.history,
      store: this.store,
      seen: (id) => this.outbox.seen(id),
    });
    this.#endings.push(
      this.#driver.onFrame((frame) => this.#receive(frame)),
      this.#driver.onChange((connection) => this.#connectionChanged(connection)),
      auth.onToken((token) => this.#driver.dispatch({ type: 'token_ready', token })),
      auth.onDenied((problem) => this.#driver.dispatch({ type: 'token_denied', reason: denied(problem) })),
    );
  }

  // ---- life

  start(): void {
    const { token } = this.#parts.auth;
    if (token !== null) this.#driver.dispatch({ type: 'token_ready', token });
    void this.outbox.adopt();
    this.#driver.dispatch({ type: 'start' });
  }

  /** Ends the session in this page. What waits in the outbox stays on disk. */
  close(): void {
    for (const end of this.#endings) end();
    this.#driver.dispatch({ type: 'log_out', reason: null });
    this.#reader.close();
    this.#marks.down();
    this.#watching.down();
    this.outbox.close();
    this.#cancelTick?.();
  }

  get connection(): Connection {
    return this.#driver.connection;
  }

  readonly onConnection = (listener: () => void): (() => void) => this.#driver.onChange(listener);

  tryNow(): void {
    this.#driver.dispatch({ type: 'try_now' });
    this.#reader.wake();
  }

  tabCameBack(): void {
    this.#driver.dispatch({ type: 'wake' });
    void this.outbox.adopt();
    this.#reader.wake();
  }

  network(there: boolean): void {
    this.#driver.dispatch({ type: there ? 'network_back' : 'network_lost' });
    if (there) this.#reader.wake();
  }

  /** Now on the server's clock, as far as a `welcome` has told it. */
  serverNow(): number {
    return this.#parts.environment.now() + this.#serverAheadMs;
  }

  // ---- what a person does

  /** Puts a conversation on the screen, or none. */
  open(key: string | null): void {
    this.store.apply({ type: 'opened', key });
    this.#readOpen();
  }

  send(key: string, text: string): AddOutcome {
    const id = idOfKey(this.store.state, key);
    const outcome = this.outbox.add(
      id === undefined ? { participants: peopleOfKey(key) } : { conversation: id },
      text,
    );
    if (id !== undefined) this.#typed.delete(id);
    return outcome;
  }

  edit(conversation: string, message: number, text: string): AddOutcome {
    return this.outbox.edit(conversation, message, text);
  }

  delete(conversation: string, message: number): AddOutcome {
    return this.outbox.delete(conversation, message);
  }

  react(conversation: string, message: number, emoji: string, op: ReactionOp): AddOutcome {
    return this.outbox.react(conversation, message, emoji, op);
  }

  block(user: string, blocked: boolean): AddOutcome {
    return this.outbox.block(user, blocked);
  }

  createRoom(name: string, visibility: Visibility): AddOutcome {
    return this.outbox.createRoom(name, visibility);
  }

  joinRoom(conversation: string, name: string): AddOutcome {
    return this.outbox.joinRoom(conversation, name);
  }

  leaveRoom(conversation: string, name: string): AddOutcome {
    return this.outbox.leaveRoom(conversation, name);
  }

  /** What a message said, oldest first. Rejects with a `Problem`. */
  async versions(conversation: string, seq: number, signal: AbortSignal): Promise<VersionItem[]> {
    const minPosition = this.#changedAt ?? this.store.state.minPosition;
    return (await this.#parts.history.versions(conversation, seq, { minPosition, signal })).items;
  }

  typing(key: string): void {
    const id = idOfKey(this.store.state, key);
    const now = this.#parts.environment.now();
    if (id === undefined || now - (this.#typed.get(id) ?? 0) < TYPING_EVERY_MS) return;
    this.#lastRef += 1;
    if (this.#driver.send({ type: 'typing', ref: this.#lastRef, conversation: id })) this.#typed.set(id, now);
  }

  markRead(conversation: string, seq: number): void {
    this.store.apply({ type: 'read', conversation, seq });
    this.#marks.mark(conversation, seq);
  }

  /** Once more what could not be read. */
  reread(): void {
    this.#reader.wake();
    const { list, blocksRead, minPosition } = this.store.state;
    if (list.status !== 'done') void this.#reader.readList(minPosition);
    if (!blocksRead) void this.#reader.readBlocks(minPosition);
    this.#readOpen();
  }

  loadOlder(conversation: string): Promise<boolean> {
    return this.#reader.readOlder(conversation);
  }

  loadMoreConversations(): Promise<void> {
    return this.#reader.readMoreOfList();
  }

  search(prefix: string, signal: AbortSignal): Promise<UserItem[]> {
    return this.#reader.search(prefix, signal);
  }

  searchRooms(words: string, signal: AbortSignal): Promise<Page<RoomItem>> {
    return this.#reader.searchRooms(words, signal);
  }

  // ---- what the connection brings

  #receive(frame: ServerFrame): void {
    const now = this.#parts.environment.now();
    switch (frame.type) {
      case 'welcome': {
        const serverNow = Date.parse(frame.now);
        if (Number.isFinite(serverNow)) this.#serverAheadMs = serverNow - now;
        return;
      }
      case 'ok':
      case 'error':
        if (!this.outbox.answered(frame) && !this.#marks.answered(frame)) this.#watching.answered(frame);
        return;
      case 'reset':
        this.#changedAt = null;
        this.store.apply({ type: 'frame', frame, now });
        this.#marks.forget();
        void this.#readAfterReset(frame.position);
        return;
      case 'typing':
        this.store.apply({ type: 'frame', frame, now });
        this.#tickIn(TYPING_MS);
        return;
      case 'message':
        this.#receiveMessage(frame, now);
        return;
      case 'edited':
      case 'deleted':
      case 'reaction':
      case 'pin':
        this.#receiveChange(frame, now);
        return;
      case 'member':
      case 'room':
        this.#receiveOfRoom(frame, now);
        return;
      case 'block':
        this.store.apply({ type: 'frame', frame, now });
        this.outbox.seen(frame.id);
        return;
      default:
        this.store.apply({ type: 'frame', frame, now });
    }
  }

  #receiveMessage(frame: MessageFrame, now: number): void {
    const { unknown } = this.store.state;
    this.store.apply({ type: 'frame', frame, now });
    if (frame.sender === this.me) this.outbox.seen(frame.id);
    void this.#reader.meet(frame.participants ?? [frame.sender]);
    // Of what conversation it is nobody said: history knows, once it is as new as this message.
    if (this.store.state.unknown !== unknown) void this.#reader.readRow(frame.conversation, frame.position);
  }

  #receiveOfRoom(frame: MemberFrame | RoomFrame, now: number): void {
    this.store.apply({ type: 'frame', frame, now });
    if (frame.by === this.me) this.outbox.seen(frame.id);
    void this.#reader.meet(frame.type === 'member' ? [frame.by, frame.user] : [frame.by]);
    if (frame.type === 'member' && frame.user === this.me && frame.change === 'joined')
      this.#enter(frame.conversation);
  }

  /** What the room is, and where it is on the screen already, what was said there. */
  #enter(conversation: string): void {
    void this.#reader.readRow(conversation, this.store.state.minPosition);
    this.#readOpen();
  }

  #receiveChange(frame: ChangeFrame, now: number): void {
    this.#changedAt = frame.position;
    this.store.apply({ type: 'frame', frame, now });
    const by = frame.type === 'reaction' ? frame.user : frame.by;
    if (by === this.me) this.outbox.seen(frame.id);
  }

  #connectionChanged(connection: Connection): void {
    const { name } = connection.phase;
    const live = name === 'live';
    if (!live && !this.#readable && (name === 'waiting' || name === 'offline' || name === 'failed')) {
      // No session yet, but history may well answer: something to read is better than nothing.
      this.#readable = true;
      this.reread();
    }
    if (live === this.#live) return;
    this.#live = live;
    if (live) {
      void this.outbox.adopt();
      this.outbox.live();
      this.#marks.live();
      this.#watching.live();
      this.#reader.wake();
    } else {
      this.outbox.down();
      this.#marks.down();
      this.#watching.down();
      this.store.apply({ type: 'disconnected' });
    }
  }

  /** CON5: first pages, as new as the reset; then this device has what the reset left out. */
  async #readAfterReset(position: string): Promise<void> {
    this.#readable = true;
    const list = this.#reader.readList(position);
    void this.#reader.readBlocks(position);
    this.#readOpen();
    if (await list) this.#driver.dispatch({ type: 'applied', position });
  }

  #readOpen(): void {
    const { open } = this.store.state;
    if (open === null || !this.#readable) return;
    void this.#reader.readConversation(open);
    void this.#reader.meet(peopleOfKey(open));
  }

  #sent(entry: Entry, ok: OkFrame): void {
    const { seq, position } = ok;
    if (seq === undefined) return;
    const at = ok.at ?? new Date(this.serverNow()).toISOString();
    if (entry.kind === 'send') {
      const { conversation } = ok;
      if (conversation === undefined) return;
      const participants = 'participants' in entry.to ? entry.to.participants : null;
      const { id, text } = entry;
      const message = said({ seq, sender: this.me, id, text, at });
      this.store.apply({ type: 'sent', conversation, participants, message });
      return;
    }
    if (isOfRoom(entry)) {
      this.#movedRoom(entry, ok);
      return;
    }
    // A repeat's answer has no place in the order: the event itself has come or comes (EVT2, CMD2).
    if (position === undefined) return;
    if (entry.kind === 'block') {
      const { user, blocked } = entry;
      this.store.apply({ type: 'blocked', block: { seq, user, blocked } });
      return;
    }
    this.#changedAt = position;
    const { message, to } = entry;
    const change = changeOfEntry(entry, this.me, at);
    this.store.apply({ type: 'changed', recent: { seq, conversation: to.conversation, message, change } });
  }

  #movedRoom(entry: RoomEntry, { conversation: made, position }: OkFrame): void {
    const conversation = entry.kind === 'create' ? made : entry.to.conversation;
    if (conversation === undefined) return;
    if (entry.kind !== 'leave') {
      this.store.apply({ type: 'entered', conversation, id: entry.id, position: position ?? null });
      this.#enter(conversation);
    } else if (position !== undefined) this.store.apply({ type: 'left', conversation });
  }

  #refreshToken(): void {
    this.#parts.auth.refresh().catch((error: unknown) => {
      // A denial has come through `onDenied` already.
      const retryAfterMs = error instanceof Problem ? error.retryAfterMs : undefined;
      this.#driver.dispatch({ type: 'token_failed', retryAfterMs });
    });
  }

  #tickIn(ms: number): void {
    this.#cancelTick?.();
    this.#cancelTick = this.#parts.environment.after(ms, () => {
      this.store.apply({ type: 'tick', now: this.#parts.environment.now() });
      if (this.store.state.typing.size > 0) this.#tickIn(TYPING_MS);
    });
  }
}

function denied(problem: Problem): string {
  return problem.code === 'other_user' ? problem.message : 'Please log in again.';
}
