/** Reads the messages of conversations and threads, at any place of theirs. */
import type { MessageItem, Page } from '../../net/frames.ts';
import { MESSAGES_PER_PAGE, type Window } from '../../net/history.ts';
import { Problem } from '../../net/problem.ts';
import { isIn, type Segment } from '../../store/segments.ts';
import { idShown, isStale } from '../../store/shown.ts';
import { isExplained, keyOf, peopleOfKey, type Reading, roomOfKey } from '../../store/state.ts';
import {
  conversationOfKey,
  heldMessage,
  type Place,
  readingOf,
  rootOfKey,
  type TimelineKey,
} from '../../store/timeline.ts';
import type { ListReader } from './list.ts';
import type { PeopleReader } from './people.ts';
import { type Persist, peopleInPage } from './persist.ts';

/** A place in a line of talk to go to. */
type Target = { seq: number } | { at: string } | 'unread';

export class TimelineReader {
  readonly #persist: Persist;
  readonly #people: PeopleReader;
  readonly #list: ListReader;
  /** Questions that are on their way. */
  readonly #asked = new Set<string>();
  /** The last place that was asked for in each line of talk. */
  readonly #going = new Map<TimelineKey, Target>();
  #threadOpened = 0;
  /** The last question of each reading: it alone tells how that goes. */
  readonly #last = new Map<string, string>();

  constructor(persist: Persist, people: PeopleReader, list: ListReader) {
    this.#persist = persist;
    this.#people = people;
    this.#list = list;
  }

  /** The newest messages of the conversation of this key, unless they are here. */
  async readNewest(key: string): Promise<void> {
    const { store, history } = this.#persist.around;
    const { generation, minPosition } = store.state;
    const participants = peopleOfKey(key);
    const room = roomOfKey(key);
    const ask = () =>
      room !== null
        ? this.#room(room, generation, minPosition)
        : this.#direct(() => history.direct(participants, { minPosition }));
    await this.#once(key, key, this.#persist.sameGeneration(generation), ask, (page) =>
      store.apply({
        ...{ type: 'messages_page', generation, key, participants, thread: null, page },
        place: { at: 'newest' },
      }),
    );
  }

  /** What was asked of a thread before it was closed does not tell what was said in it until it was opened again. */
  threadOpened(): void {
    this.#threadOpened += 1;
  }

  /** The newest messages of the open thread, and the one with which it begins, unless they are here. */
  async readThread(line: TimelineKey): Promise<void> {
    const { store, history } = this.#persist.around;
    const { generation } = store.state;
    const minPosition = this.#persist.asNewAsSession();
    const opened = this.#threadOpened;
    const wanted = () =>
      store.state.generation === generation && store.state.thread === line && this.#threadOpened === opened;
    const conversation = conversationOfKey(line);
    const thread = rootOfKey(line);
    if (thread === null) return;
    const root = this.#readRoot(line, generation, wanted);
    const ask = async () => {
      await this.#explained(conversation, generation, minPosition);
      return await history.messages(conversation, { thread }, { minPosition });
    };
    await this.#once(line, `${line} ${opened}`, wanted, ask, (page) =>
      this.#take(line, generation, { at: 'newest' }, page),
    );
    await root;
  }

  async #readRoot(line: TimelineKey, generation: number, wanted: () => boolean): Promise<void> {
    const { store, history } = this.#persist.around;
    const root = rootOfKey(line);
    if (root === null || store.state.timelines.get(line)?.root?.seq === root) return;
    const minPosition = this.#persist.asNewAsSession();
    const page = await this.#persist.ask(wanted, () =>
      history.messages(conversationOfKey(line), { around: root, limit: 1 }, { minPosition }),
    );
    const item = page?.items.find(({ seq }) => seq === root);
    if (page === null || item === undefined) return;
    this.#seen(page);
    store.apply({ type: 'root_read', generation, timeline: line, item });
  }

  /** The page before a segment. How it goes is told by `readingOf(line, 'older')`. */
  async loadOlder(line: TimelineKey, segment: Segment): Promise<void> {
    const seq = segment.messages[0]?.seq;
    if (seq === undefined || segment.older === false) return;
    await this.#load(line, 'older', { before: seq }, { at: 'before', seq });
  }

  /** The page after a segment, as new as what the session has told (`readingOf(line, 'newer')`). */
  async loadNewer(line: TimelineKey, segment: Segment): Promise<void> {
    const seq = segment.messages.at(-1)?.seq;
    if (seq === undefined || !segment.newer) return;
    await this.#load(line, 'newer', { after: seq }, { at: 'after', seq });
  }

  async #load(line: TimelineKey, of: 'older' | 'newer', window: Window, place: Place): Promise<void> {
    const { store, history } = this.#persist.around;
    const { generation } = store.state;
    // What is shown from before a reset has no place in what is known now.
    if (isStale(store.state, line)) return;
    // What frames told may have been let go since, and a thread takes it in only while it is open: a page that joins what is
    // held has to know all that the session has told.
    const minPosition = this.#persist.asNewAsSession();
    const thread = rootOfKey(line);
    const key = readingOf(line, of);
    const ask = () =>
      history.messages(conversationOfKey(line), thread === null ? window : { ...window, thread }, {
        minPosition,
      });
    await this.#once(key, key, this.#onScreen(line, generation), ask, (page) => {
      this.#take(line, generation, place, page);
      store.apply({ type: 'reading', generation, key, reading: null });
    });
  }

  /** What is around a place, to look at it (`readingOf(line, 'around')`): what is here is not read again. */
  async goTo(line: TimelineKey, target: Target): Promise<void> {
    const { store, history } = this.#persist.around;
    const { generation } = store.state;
    const minPosition = this.#persist.asNewAsSession();
    this.#going.set(line, target);
    const seq = this.#seqOf(line, target);
    if (seq !== null && this.#showHeld(line, seq, target)) return;
    const thread = rootOfKey(line);
    const place: Window =
      seq !== null
        ? { around: seq }
        : { around_at: typeof target === 'object' && 'at' in target ? target.at : '' };
    const window = thread === null ? place : { ...place, thread };
    const key = readingOf(line, 'around');
    const onScreen = this.#onScreen(line, generation);
    const wanted = () => onScreen() && this.#going.get(line) === target;
    const conversation = conversationOfKey(line);
    const ask = async () => {
      await this.#explained(conversation, generation, minPosition);
      return await history.messages(conversation, window, { minPosition });
    };
    await this.#once(key, `${key} ${JSON.stringify(place)}`, wanted, ask, (page) => {
      const isBefore = (item: MessageItem) =>
        seq !== null
          ? item.seq < seq
          : typeof target === 'object' && 'at' in target && Date.parse(item.at) < Date.parse(target.at);
      const older = page.items.filter(isBefore).length >= Math.floor(MESSAGES_PER_PAGE / 2);
      const show = shownOf(page.items, seq, target);
      this.#take(line, generation, { at: 'around', older }, page, show);
      store.apply({ type: 'reading', generation, key, reading: null });
    });
    if (this.#going.get(line) === target) this.#going.delete(line);
  }

  #seqOf(line: TimelineKey, target: Target): number | null {
    if (target === 'unread') {
      const { me, conversations } = this.#persist.around.store.state;
      return conversations.get(conversationOfKey(line))?.read.get(me) ?? 0;
    }
    return 'seq' in target ? target.seq : null;
  }

  #showHeld(line: TimelineKey, seq: number, target: Target): boolean {
    const { store } = this.#persist.around;
    const timeline = store.state.timelines.get(line);
    const segment = timeline?.segments.find((one) => isIn(one, seq));
    if (timeline === undefined || segment === undefined) return false;
    // Frames alone have told of the newest: what is before it is to be seen, too.
    if (segment.older === null || (target !== 'unread' && heldMessage(timeline, seq) === undefined))
      return false;
    const show = shownOf(segment.messages, seq, target) ?? null;
    store.apply({ type: 'shown', timeline: line, seq: show });
    return true;
  }

  #take(line: TimelineKey, generation: number, place: Place, page: Page<MessageItem>, show?: number): void {
    const { store } = this.#persist.around;
    const held = store.state.conversations.get(conversationOfKey(line));
    if (held === undefined) return;
    store.apply({
      ...{ type: 'messages_page', generation, key: keyOf(held), participants: held.participants },
      ...{ thread: rootOfKey(line), place, page, show },
    });
  }

  /** One question at a time of each kind; tells how it goes, and what comes is taken in while it is wanted. */
  async #once(
    key: string,
    question: string,
    wanted: () => boolean,
    ask: () => Promise<Page<MessageItem>>,
    take: (page: Page<MessageItem>) => void,
  ): Promise<boolean> {
    const { store } = this.#persist.around;
    const { generation, readings } = store.state;
    const asked = `${generation} ${question}`;
    if (readings.get(key)?.status === 'done' || this.#asked.has(asked)) return false;
    this.#asked.add(asked);
    this.#last.set(key, asked);
    let failed = false;
    const tell = (reading: Reading | null) => {
      if (this.#last.get(key) === asked) store.apply({ type: 'reading', generation, key, reading });
    };
    tell({ status: 'loading' });
    try {
      const page = await this.#persist.ask(wanted, ask, (fault) => {
        failed = true;
        tell({ status: 'failed', fault });
      });
      if (page !== null) {
        this.#seen(page);
        take(page);
        return true;
      }
      // Of what nobody wants any more it is not said that it could not be had.
      if (!failed || !wanted()) tell(null);
      return false;
    } finally {
      this.#asked.delete(asked);
      if (this.#last.get(key) === asked) this.#last.delete(key);
    }
  }

  #seen(page: Page<MessageItem>): void {
    this.#persist.seenInPage(page.items);
    void this.#people.meet(peopleInPage(page));
  }

  #onScreen(line: TimelineKey, generation: number): () => boolean {
    const { store } = this.#persist.around;
    return () => {
      const { state } = store;
      if (state.generation !== generation) return false;
      if (rootOfKey(line) !== null) return state.thread === line;
      return state.open !== null && idShown(state, state.open) === line;
    };
  }

  async #direct(ask: () => Promise<Page<MessageItem>>): Promise<Page<MessageItem>> {
    try {
      return await ask();
    } catch (error) {
      // They have not spoken yet, or one of them is nobody so far: whoever writes to them is told.
      if (!(error instanceof Problem) || !['not_found', 'unknown_user'].includes(error.code)) throw error;
      return { items: [], next: null, position: '' };
    }
  }

  /** What a conversation is comes before what was said there. */
  async #explained(id: string, generation: number, minPosition: string | null): Promise<void> {
    const held = this.#persist.around.store.state.conversations.get(id);
    if (held === undefined || !isExplained(held)) await this.#list.rowOnce(id, generation, minPosition);
  }

  async #room(id: string, generation: number, minPosition: string | null): Promise<Page<MessageItem>> {
    await this.#explained(id, generation, minPosition);
    return this.#persist.around.history.messages(id, {}, { minPosition });
  }
}

/** What is looked at there: the message itself, or the first one after the place; else the last one before it. */
function shownOf(
  messages: readonly { seq: number; at: string }[],
  seq: number | null,
  target: Target,
): number | undefined {
  const found = messages.find((message) => {
    if (target === 'unread') return message.seq > (seq ?? 0);
    if ('seq' in target) return message.seq >= target.seq;
    return Date.parse(message.at) >= Date.parse(target.at);
  });
  return (found ?? messages.at(-1))?.seq;
}
