/** Reads history into the store, again and again where the trouble is temporary, for as long as it is still wanted. */
import { reconnectDelayMs } from '../net/backoff.ts';
import type { Environment } from '../net/environment.ts';
import type { ConversationItem, MessageItem, Page, RoomItem, UserItem } from '../net/frames.ts';
import type { History } from '../net/history.ts';
import { Malformed } from '../net/json.ts';
import { Problem } from '../net/problem.ts';
import { MAX_BLOCKED } from '../store/blocks.ts';
import { keyOf, peopleOfKey, roomOfKey } from '../store/state.ts';
import type { Store } from '../store/store.ts';

/** How many people may wait to be met; others are shown by their handles. */
const MAX_STRANGERS = 500;

const NOT_MEMBER = 'You are not in this room.';

export interface ReaderSurroundings {
  me: string;
  environment: Environment;
  history: History;
  store: Store;
  /** Own messages that a page shows are in the log, whatever became of their `ok`. */
  seen(id: string): void;
}

export class Reader {
  readonly #around: ReaderSurroundings;
  readonly #older = new Set<string>();
  readonly #wakers = new Set<() => void>();
  readonly #strangers = new Set<string>();
  #meeting = false;
  readonly #reading = new Set<string>();
  #readingList = -1;
  #readingBlocks = -1;
  #closed = false;

  constructor(around: ReaderSurroundings) {
    this.#around = around;
  }

  /** The first page of the list; true once it is in, false when it is no longer wanted. */
  async readList(minPosition: string | null): Promise<boolean> {
    const { generation } = this.#around.store.state;
    if (this.#readingList === generation) return false;
    this.#readingList = generation;
    return this.#readList(generation, minPosition);
  }

  /** One row of the list, by itself: of a conversation that a frame spoke of and that is not here. */
  async readRow(id: string, minPosition: string | null): Promise<void> {
    const { store } = this.#around;
    const { generation } = store.state;
    await this.#persist(
      this.#sameGeneration(generation),
      () => this.#readRow(id, generation, minPosition),
      () => {},
    );
  }

  /** Whoever was in a room and is no more still reads what they were there for; that is no conversation of theirs. */
  async #readRow(id: string, generation: number, minPosition: string | null): Promise<void> {
    const { store, history } = this.#around;
    const item = await history.conversation(id, { minPosition });
    if (item.room !== null && item.room.role === null) throw notMember();
    this.#seenInList([item]);
    store.apply({ type: 'row', generation, item });
  }

  async #readList(generation: number, minPosition: string | null): Promise<boolean> {
    const { store, history } = this.#around;
    try {
      const page = await this.#persist(
        this.#sameGeneration(generation),
        () => history.conversations(null, { minPosition }),
        (message) => store.apply({ type: 'list_failed', generation, message }),
      );
      if (page === null) return false;
      this.#seenInList(page.items);
      store.apply({ type: 'list_page', generation, page, wholeFirst: true });
      return true;
    } finally {
      if (this.#readingList === generation) this.#readingList = -1;
    }
  }

  async readMoreOfList(): Promise<void> {
    const { store, history } = this.#around;
    const { generation, listNext, minPosition } = store.state;
    if (listNext === null || this.#older.has('list')) return;
    this.#older.add('list');
    try {
      const page = await history.conversations(listNext, { minPosition });
      this.#seenInList(page.items);
      store.apply({ type: 'list_page', generation, page, wholeFirst: false });
    } catch (error) {
      known(error);
    } finally {
      this.#older.delete('list');
    }
  }

  /** All pages of those whom this person has blocked; nothing to speak of until they are in. */
  async readBlocks(minPosition: string | null): Promise<void> {
    const { store, history } = this.#around;
    const { generation } = store.state;
    if (this.#readingBlocks === generation) return;
    this.#readingBlocks = generation;
    const users: string[] = [];
    try {
      let cursor: string | null = null;
      do {
        const from: string | null = cursor;
        const page: Page<UserItem> | null = await this.#persist(
          this.#sameGeneration(generation),
          () => history.blocks(from, { minPosition }),
          () => {},
        );
        if (page === null) return;
        users.push(...page.items.map(({ user }) => user));
        cursor = page.next;
      } while (cursor !== null && users.length < MAX_BLOCKED);
      store.apply({ type: 'blocks_read', generation, users });
    } finally {
      if (this.#readingBlocks === generation) this.#readingBlocks = -1;
    }
  }

  /** The newest messages among the people of `key`, unless they are here. */
  async readConversation(key: string): Promise<void> {
    const { store } = this.#around;
    const { generation, minPosition } = store.state;
    const question = `${generation} ${key}`;
    if (store.state.readings.get(key)?.status === 'done' || this.#reading.has(question)) return;
    this.#reading.add(question);
    store.apply({ type: 'reading', generation, key, reading: { status: 'loading' } });
    const participants = peopleOfKey(key);
    const room = roomOfKey(key);
    const ask = () =>
      room === null ? this.#direct(participants, minPosition) : this.#room(room, generation, minPosition);
    const page = await this.#persist(this.#sameGeneration(generation), ask, (message) =>
      store.apply({ type: 'reading', generation, key, reading: { status: 'failed', message } }),
    ).finally(() => this.#reading.delete(question));
    if (page === null) return;
    this.#seenInPage(page);
    store.apply({ type: 'messages_page', generation, key, participants, before: null, page });
  }

  async #direct(participants: string[], minPosition: string | null): Promise<Page<MessageItem>> {
    try {
      return await this.#around.history.direct(participants, { minPosition });
    } catch (error) {
      // They have not spoken yet, or one of them is nobody so far: whoever writes to them is told.
      if (!(error instanceof Problem) || !['not_found', 'unknown_user'].includes(error.code)) throw error;
      return { items: [], next: null, position: '' };
    }
  }

  /** What kind of room it is comes before what was said there. */
  async #room(id: string, generation: number, minPosition: string | null): Promise<Page<MessageItem>> {
    const { store, history } = this.#around;
    try {
      if (store.state.conversations.get(id)?.room == null) await this.#readRow(id, generation, minPosition);
      return await history.messages(id, null, { minPosition });
    } catch (error) {
      throw error instanceof Problem && ['not_found', 'not_member'].includes(error.code)
        ? notMember()
        : error;
    }
  }

  /** The page before the oldest message that is here. Resolves to false where it could not be read. */
  async readOlder(id: string): Promise<boolean> {
    const { store, history } = this.#around;
    const { generation, minPosition, conversations } = store.state;
    const held = conversations.get(id);
    const before = held?.messages[0]?.seq;
    if (held === undefined || before === undefined || held.older === false || this.#older.has(id))
      return true;
    this.#older.add(id);
    try {
      const page = await history.messages(id, before, { minPosition });
      this.#seenInPage(page);
      const { participants } = held;
      const key = keyOf(held);
      store.apply({ type: 'messages_page', generation, key, participants, before, page });
      return true;
    } catch (error) {
      known(error);
      return false;
    } finally {
      this.#older.delete(id);
    }
  }

  /** The names that these people chose, for those that were not met yet: one question at a time, in their order. */
  async meet(handles: readonly string[]): Promise<void> {
    const { me, store } = this.#around;
    for (const handle of handles) {
      if (this.#strangers.size === MAX_STRANGERS) break;
      // Who was erased has no handle any more.
      if (handle !== '' && handle !== me && !store.state.names.has(handle)) this.#strangers.add(handle);
    }
    if (this.#meeting) return;
    this.#meeting = true;
    try {
      for (const handle of this.#strangers) {
        if (this.#closed) return;
        await this.#meetOne(handle);
        this.#strangers.delete(handle);
      }
    } finally {
      this.#meeting = false;
    }
  }

  async #meetOne(handle: string): Promise<void> {
    const { store, history } = this.#around;
    if (store.state.names.has(handle)) return;
    // Until there is an answer the handle stands for the name; that is no failure to speak of.
    const ask = () => history.person(handle);
    const person = await this.#persist(
      () => !this.#closed,
      ask,
      () => {},
    );
    if (person !== null) store.apply({ type: 'met', people: [person] });
  }

  async search(prefix: string, signal: AbortSignal): Promise<UserItem[]> {
    const page = await this.#around.history.people(prefix, { minPosition: null, signal });
    this.#around.store.apply({ type: 'met', people: page.items });
    return page.items;
  }

  /** Public rooms in whose name or topic words begin with these. Rejects with a `Problem`. */
  async searchRooms(words: string, signal: AbortSignal): Promise<Page<RoomItem>> {
    const { store, history } = this.#around;
    return await history.rooms(words, { minPosition: store.state.minPosition, signal });
  }

  /** Whatever waits for its next attempt makes it now. */
  wake(): void {
    for (const waker of [...this.#wakers]) waker();
  }

  close(): void {
    this.#closed = true;
    this.wake();
  }

  /** Null when the answer is no longer wanted, or a final no. */
  async #persist<T>(
    wanted: () => boolean,
    ask: () => Promise<T>,
    failed: (message: string) => void,
  ): Promise<T | null> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const answer = await ask();
        return wanted() ? answer : null;
      } catch (error) {
        const { message, temporary, retryAfterMs } = known(error);
        if (!wanted()) return null;
        failed(message);
        if (!temporary) return null;
        await this.#wait(retryAfterMs ?? reconnectDelayMs(attempt, this.#around.environment.random()));
        if (!wanted()) return null;
      }
    }
  }

  #sameGeneration(generation: number): () => boolean {
    return () => !this.#closed && this.#around.store.state.generation === generation;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#wakers.delete(done);
        resolve();
      };
      const cancel = this.#around.environment.after(ms, done);
      this.#wakers.add(done);
    });
  }

  #seenInPage(page: Page<MessageItem>): void {
    for (const { sender, id } of page.items) if (sender === this.#around.me) this.#around.seen(id);
    const senders = page.items.flatMap(({ sender, reply }) =>
      reply === null ? [sender] : [sender, reply.sender],
    );
    void this.meet(senders);
  }

  #seenInList(items: readonly ConversationItem[]): void {
    for (const { lastMessage } of items) {
      if (lastMessage?.sender === this.#around.me) this.#around.seen(lastMessage.id);
    }
    const speakers = ({ room, lastMessage }: ConversationItem) =>
      room === null || lastMessage === null ? [] : [lastMessage.sender];
    void this.meet(items.flatMap((item) => [...item.participants, ...speakers(item)]));
  }
}

function notMember(): Problem {
  return new Problem({ status: 403, code: 'not_member', message: NOT_MEMBER, temporary: false });
}

/** What a request can fail with; anything else is a mistake of ours and goes on up. */
function known(error: unknown): { message: string; temporary: boolean; retryAfterMs?: number | undefined } {
  if (error instanceof Problem) return error;
  if (error instanceof Malformed) {
    return { message: 'The server’s answer could not be understood.', temporary: false };
  }
  throw error;
}
