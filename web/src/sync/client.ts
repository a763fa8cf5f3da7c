/**
 * One person's Natter in this page: the connection, what is known, and what is still to be said, wired together.
 * The parts decide; this passes on.
 */
import type { Auth } from '../net/auth.ts';
import { ConnectionDriver, type Socket } from '../net/connection/driver.ts';
import { type Connection, canGoOn } from '../net/connection/state.ts';
import type { Environment } from '../net/environment.ts';
import type { MemberItem, RoomItem, ServerFrame, UserItem, VersionItem } from '../net/frames.ts';
import type { History } from '../net/history.ts';
import { Problem } from '../net/problem.ts';
import { Cache } from '../outbox/cache.ts';
import type { Command } from '../outbox/commands/commands.ts';
import type { Keep } from '../outbox/database.ts';
import { Drafts } from '../outbox/drafts.ts';
import { Marks } from '../outbox/marks.ts';
import { type AddOutcome, Outbox, type Tabs } from '../outbox/outbox.ts';
import { Settings } from '../outbox/settings.ts';
import type { OutboxStorage } from '../outbox/storage.ts';
import { type FillRandom, Uuid7 } from '../outbox/uuid7.ts';
import type { ListName, Question } from '../store/listings.ts';
import type { Segment } from '../store/segments.ts';
import { restoring, type Snapshot } from '../store/snapshot.ts';
import { idOfKey, peopleOfKey } from '../store/state.ts';
import { Store } from '../store/store.ts';
import { type TimelineKey, timelineKey } from '../store/timeline.ts';
import { ServerClock } from './clock.ts';
import { Delivered } from './delivered.ts';
import { Incoming } from './incoming.ts';
import { Keeper } from './keeper.ts';
import type { CardReader } from './read/card.ts';
import type { DirectoryReader } from './read/directory.ts';
import type { MembersReader } from './read/members.ts';
import { Reader } from './reader.ts';
import { Recount } from './recount.ts';
import { OwnStatus } from './status.ts';
import { Typing } from './typing.ts';
import { Watching } from './watching.ts';

export interface ClientParts {
  me: string;
  auth: Auth;
  history: History;
  environment: Environment;
  openSocket(): Socket;
  probe(): Promise<boolean>;
  storage: Promise<OutboxStorage>;
  keep: Keep;
  tabs: Tabs;
  fillRandom: FillRandom;
}

export class Client {
  readonly me: string;
  readonly store: Store;
  readonly outbox: Outbox;
  readonly drafts: Drafts;
  readonly settings: Settings;
  /** What this person wants others to see of them. */
  readonly status: OwnStatus;
  readonly roster: MembersReader;
  readonly directory: DirectoryReader;
  readonly card: CardReader;
  readonly #parts: ClientParts;
  readonly #driver: ConnectionDriver;
  readonly #reader: Reader;
  readonly #marks: Marks;
  readonly #watching: Watching;
  readonly #headcount: Recount;
  readonly #keeper: Keeper;
  readonly #clock: ServerClock;
  readonly #typing: Typing;
  readonly #delivered: Delivered;
  readonly #incoming: Incoming;
  readonly #endings: (() => void)[] = [];
  #live = false;

  constructor(parts: ClientParts) {
    const { me, environment, history, auth, keep } = parts;
    this.#parts = parts;
    this.me = me;
    const store = new Store(me, (fire) => environment.frame(fire));
    this.store = store;
    const clock = new ServerClock(environment);
    this.#clock = clock;
    this.#driver = new ConnectionDriver({
      environment,
      openSocket: parts.openSocket,
      probe: parts.probe,
      refreshToken: () => this.#refreshToken(),
    });
    const position = () => this.#driver.connection.resume;
    const uuid = new Uuid7(parts.fillRandom);
    let lastRef = 0;
    const commands = {
      environment,
      makeId: () => uuid.make(clock.now()),
      nextRef: () => {
        lastRef += 1;
        return lastRef;
      },
      send: this.#driver.send.bind(this.#driver),
    };
    this.outbox = new Outbox({
      ...commands,
      storage: parts.storage,
      tabs: parts.tabs,
      serverNow: () => clock.now(),
      sent: (entry, ok) => this.#incoming.sent(entry, ok),
      // A clock that was put forward: the last ping is too long ago, and the next welcome tells the time.
      clockDoubted: () => this.#driver.dispatch({ type: 'wake' }),
    });
    this.drafts = new Drafts(environment, keep);
    this.settings = new Settings(keep);
    this.status = new OwnStatus({ ...commands, settings: this.settings });
    this.#marks = new Marks({ ...commands, keep, marked: (upTo, ok) => this.#incoming.marked(upTo, ok) });
    this.#typing = new Typing({ ...commands, store });
    const reader = new Reader({
      ...{ me, environment, history, store, position },
      seen: (id) => this.outbox.seen(id),
    });
    this.#reader = reader;
    this.roster = reader.roster;
    this.directory = reader.directory;
    this.card = reader.card;
    this.#watching = new Watching({
      ...{ ...commands, store },
      followedAgain: (people) => void reader.people.meetAgain(people),
    });
    this.#headcount = new Recount({
      ...{ environment, store },
      readRow: (conversation) => void reader.rows.read(conversation),
    });
    this.#delivered = new Delivered({
      ...{ environment, store },
      readRows: () => void reader.list.rereadRows(position()),
    });
    this.#keeper = new Keeper({
      ...{ environment, store, cache: new Cache(keep) },
      position: () => (reader.rows.reading ? null : position()),
    });
    this.#incoming = new Incoming({
      ...{ me, environment, store, clock, reader },
      ...{ outbox: this.outbox, marks: this.#marks, drafts: this.drafts },
      ...{ status: this.status, watching: this.#watching },
      ...{ typing: this.#typing, delivered: this.#delivered },
      reset: (from) => void this.#readAll(from),
    });
    this.#endings.push(
      this.settings.subscribe(() => this.status.adopt()),
      this.#driver.onFrame((frame) => this.#incoming.receive(frame)),
      this.#driver.onChange((connection) => this.#connectionChanged(connection)),
      auth.onToken((token) => this.#driver.dispatch({ type: 'token_ready', token })),
      auth.onDenied((reason) => this.#driver.dispatch({ type: 'token_denied', reason })),
    );
  }

  // ---- life

  start(): void {
    const { token } = this.#parts.auth;
    if (token !== null) this.#driver.dispatch({ type: 'token_ready', token });
    void this.outbox.adopt();
    void this.drafts.load();
    void this.settings.load();
    void this.#marks.adopt().then(() => this.#readWaiting());
    void this.#begin();
  }

  /** With what the last page knew, from where it was. */
  async #begin(): Promise<void> {
    const known = await this.#keeper.load((late) => this.#goOnFrom(late));
    if (known !== null) this.#goOnFrom(known);
    this.#driver.dispatch({ type: 'start' });
    this.#keeper.begin();
  }

  /** Before the server is asked, there is nothing newer; and whoever logged out meanwhile leaves nothing to go on from. */
  #goOnFrom(known: Snapshot): void {
    if (!canGoOn(this.connection)) return;
    this.store.apply(...restoring(known));
    this.#reader.restored(known);
    this.#readWaiting();
    this.#reader.readOpen();
    this.#driver.dispatch({ type: 'knows', position: known.position });
  }

  /** Ends the session in this page. What waits in the outbox stays on disk. */
  close(): void {
    for (const end of this.#endings) end();
    this.#driver.dispatch({ type: 'log_out' });
    this.#reader.close();
    this.#marks.close();
    this.#watching.down();
    this.status.down();
    this.#headcount.close();
    this.#keeper.close();
    this.outbox.close();
    this.drafts.close();
    this.settings.close();
    this.#typing.close();
    this.#delivered.down();
  }

  /** Forgets what this device keeps of this person: they logged out. */
  async wipe(): Promise<void> {
    await Promise.allSettled([
      this.outbox.clear(),
      this.drafts.clear(),
      this.#marks.clear(),
      this.settings.clear(),
      this.forget(),
    ]);
  }

  /** Forgets what this person could see: their session ended. What they wrote stays until they log out. */
  forget(): Promise<void> {
    return this.#keeper.clear();
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

  /** Somebody looks at something else, and may not come back. */
  tabLeft(): void {
    void this.drafts.save();
    this.#keeper.keep();
  }

  network(there: boolean): void {
    this.#driver.dispatch({ type: there ? 'network_back' : 'network_lost' });
    if (there) this.#reader.wake();
  }

  /** Now on the server's clock. */
  serverNow(): number {
    return this.#clock.now();
  }

  // ---- what a person does

  /** Puts a conversation on the screen, or none. */
  open(key: string | null): void {
    this.store.apply({ type: 'opened', key });
    this.#reader.readOpen();
  }

  /** Does what is in the table of commands, as soon as it can be done. */
  do(command: Command): AddOutcome {
    return this.outbox.add(command);
  }

  /** Says something among the people, or in the room, of `key`: as an answer, or in a thread. */
  send(key: string, text: string, of: { replyTo?: number; thread?: number } = {}): AddOutcome {
    const id = idOfKey(this.store.state, key);
    const to = id === undefined ? { participants: peopleOfKey(key) } : { conversation: id };
    if (id !== undefined) this.#typing.said(id);
    return this.do({ kind: 'send', to, text, ...of });
  }

  /** What a message said, oldest first. Rejects with a `Problem`. */
  async versions(conversation: string, seq: number, signal: AbortSignal): Promise<VersionItem[]> {
    const minPosition = this.#incoming.changedAt ?? this.store.state.minPosition;
    return (await this.#parts.history.versions(conversation, seq, { minPosition, signal })).items;
  }

  typing(key: string): void {
    const id = idOfKey(this.store.state, key);
    if (id !== undefined) this.#typing.tell(id);
  }

  markRead(conversation: string, seq: number): void {
    this.store.apply({ type: 'read', conversation, seq });
    this.#marks.mark(conversation, seq);
  }

  /** The same of a thread. */
  markThreadRead(conversation: string, thread: number, seq: number): void {
    this.#marks.mark(conversation, seq, thread);
  }

  /** Once more what could not be read. */
  reread(): void {
    this.#reader.again();
  }

  loadMoreConversations(): Promise<void> {
    return this.#reader.list.readMore();
  }

  /** Whose presence is on the screen beside that of the people whom one talks to; who was not met is not asked for. */
  lookAt(people: readonly string[]): void {
    this.store.apply({ type: 'beside', people });
  }

  /** What the conversation of a link is. */
  lookFor(conversation: string): Promise<void> {
    return this.#reader.list.lookFor(conversation);
  }

  search(prefix: string, signal: AbortSignal): Promise<UserItem[]> {
    return this.#reader.search.people(prefix, signal);
  }

  /** Public rooms by what somebody types. Rejects with a `Problem`. */
  searchRooms(words: string, signal: AbortSignal): Promise<RoomItem[]> {
    return this.#reader.search.rooms(words, signal);
  }

  /** A public room that one need not be in. Rejects with a `Problem`. */
  room(id: string, signal: AbortSignal): Promise<RoomItem> {
    return this.#reader.search.room(id, signal);
  }

  /** Who is in a conversation, by the beginning of their handle. Rejects with a `Problem`. */
  members(conversation: string, prefix: string, signal: AbortSignal): Promise<MemberItem[]> {
    return this.#reader.search.members(conversation, prefix, signal);
  }

  // ---- where a person looks

  /** The page before a segment of what is shown. `State.readings` tells how it goes (`readingOf(timeline, 'older')`). */
  loadOlder(timeline: TimelineKey, segment: Segment): Promise<void> {
    return this.#reader.timelines.loadOlder(timeline, segment);
  }

  /** The page after a segment that is not the newest (`readingOf(timeline, 'newer')`). */
  loadNewer(timeline: TimelineKey, segment: Segment): Promise<void> {
    return this.#reader.timelines.loadNewer(timeline, segment);
  }

  /** What is on the screen: messages around it stay. Null at the end, which follows what arrives. */
  look(timeline: TimelineKey, seq: number | null): void {
    this.store.apply({ type: 'shown', timeline, seq });
  }

  /** Looks at a message (`Timeline.around`); what is around it is read first where it is not here (`'around'`). */
  goTo(timeline: TimelineKey, seq: number): Promise<void> {
    return this.#reader.timelines.goTo(timeline, { seq });
  }

  /** Looks at the first message that is unread. */
  goToUnread(timeline: TimelineKey): Promise<void> {
    return this.#reader.timelines.goTo(timeline, 'unread');
  }

  /** Looks at the first message from this time (RFC 3339) on. */
  goToDate(timeline: TimelineKey, at: string): Promise<void> {
    return this.#reader.timelines.goTo(timeline, { at });
  }

  /** Puts the thread that begins with `root` on the screen; there is one at a time, and it closes with its conversation. */
  openThread(conversation: string, root: number): void {
    this.store.apply({ type: 'thread_opened', timeline: timelineKey(conversation, root) });
    this.#reader.timelines.threadOpened();
    this.#reader.readOpen();
  }

  closeThread(): void {
    this.store.apply({ type: 'thread_opened', timeline: null });
  }

  /** What this person is called, for where they change it; until there is an answer that is their handle. */
  async meetMyself(signal: AbortSignal): Promise<void> {
    const { minPosition } = this.store.state;
    const person = await this.#parts.history.person(this.me, { minPosition, signal }).catch(() => null);
    if (person !== null) this.store.apply({ type: 'met', people: [person] });
  }

  /** Rejects with a `Problem`. */
  changePassword(current: string, next: string): Promise<void> {
    return this.#parts.auth.changePassword(current, next);
  }

  /** Lists messages beside the conversation, for as long as `unlist` is not called (`State.listings`). */
  list(question: Question): void {
    this.#reader.listings.open(question, this.#reader.readable);
  }

  unlist(list: ListName): void {
    this.#reader.listings.close(list);
  }

  /** The next page of a list; where that can't be had the list says so. */
  listMore(list: ListName): Promise<void> {
    return this.#reader.listings.more(list);
  }

  /** Once more what could not be read of it. */
  listAgain(list: ListName): Promise<void> {
    return this.#reader.listings.again(list);
  }

  // ---- what the connection brings

  /** The frames of the session in their order, after they were taken in. */
  onFrame(listener: (frame: ServerFrame) => void): () => void {
    return this.#driver.onFrame(listener);
  }

  #connectionChanged(connection: Connection): void {
    const { name } = connection.phase;
    const live = name === 'live';
    if (name === 'waiting' || name === 'offline' || name === 'failed') this.#reader.alone();
    if (live === this.#live) return;
    this.#live = live;
    if (live) {
      void this.outbox.adopt();
      this.outbox.live();
      this.#marks.live();
      this.#watching.live();
      this.status.live();
      this.#reader.live();
    } else {
      this.outbox.down();
      this.#marks.down();
      this.#watching.down();
      this.status.down();
      this.#delivered.down();
      this.store.apply({ type: 'disconnected' });
    }
  }

  async #readAll(position: string): Promise<void> {
    if (!(await this.#reader.readAll(position))) return;
    this.#readWaiting();
    this.#driver.dispatch({ type: 'applied' });
  }

  /** What was read here and is not in the log yet is read all the same. */
  #readWaiting(): void {
    for (const { conversation, thread, read } of this.#marks.waiting)
      if (thread === null) this.store.apply({ type: 'read', conversation, seq: read });
  }

  #refreshToken(): void {
    this.#parts.auth.refresh().catch((error: unknown) => {
      // A denial has come through `onDenied` already.
      const retryAfterMs = error instanceof Problem ? error.retryAfterMs : undefined;
      this.#driver.dispatch({ type: 'token_failed', retryAfterMs });
    });
  }
}
