/** Reads the lists that stand beside a conversation: its threads, its pins, what a search found. */
import type { MessageItem, Page } from '../../net/frames.ts';
import type { Paging } from '../../net/history.ts';
import type { ListedItem, Listing, ListName, Question, SearchQuestion } from '../../store/listings.ts';
import type { Reading } from '../../store/state.ts';
import type { PeopleReader } from './people.ts';
import { type Persist, peopleInPage } from './persist.ts';

/** A search looks only so far back with each page; this often it goes on by itself, until so much is found. */
export const MAX_PAGES_UNASKED = 5;
const ENOUGH_FOUND = 15;

interface Listed {
  items: ListedItem[];
  next: string | null;
}

export class ListingsReader {
  readonly #persist: Persist;
  readonly #people: PeopleReader;
  /** The last question of each list: it alone is answered. */
  readonly #turns = new Map<ListName, object>();

  constructor(persist: Persist, people: PeopleReader) {
    this.#persist = persist;
    this.#people = people;
  }

  /** Asked `now`, or with all others once there is something to ask against. */
  open(question: Question, now: boolean): void {
    this.#persist.around.store.apply({ type: 'listing_asked', question });
    if (now) void this.#read(question, null);
  }

  close(list: ListName): void {
    this.#turns.delete(list);
    this.#persist.around.store.apply({ type: 'listing_closed', list });
  }

  /** The pages after what is here. */
  async more(list: ListName): Promise<void> {
    const held = this.#held(list);
    if (held !== undefined && held.next !== null && held.reading.status !== 'loading')
      await this.#read(held.question, held.next);
  }

  /** Once more, where it could not be read. */
  async again(list: ListName): Promise<void> {
    const held = this.#held(list);
    if (held !== undefined) await this.#read(held.question, held.next);
  }

  /** What is on the screen belongs to another past (CON3). It stays until it is read anew. */
  reread(): void {
    for (const { question } of this.#persist.around.store.state.listings.values())
      void this.#read(question, null);
  }

  /** Something was said in a thread: one that is not listed yet is the first one now. */
  replied(conversation: string, root: number): void {
    const held = this.#held('threads');
    if (held?.question.conversation !== conversation) return;
    if (!held.items.some(({ message }) => message.seq === root)) void this.#read(held.question, null);
  }

  /** What a pinned message says, history tells. */
  pinned(conversation: string): void {
    const held = this.#held('pins');
    if (held?.question.conversation === conversation) void this.#read(held.question, null);
  }

  #held(list: ListName): Listing | undefined {
    return this.#persist.around.store.state.listings.get(list);
  }

  async #read(question: Question, cursor: string | null): Promise<void> {
    const { store, position } = this.#persist.around;
    const { generation } = store.state;
    const turn = {};
    this.#turns.set(question.list, turn);
    const wanted = () => store.state.generation === generation && this.#turns.get(question.list) === turn;
    const tell = (reading: Reading) =>
      store.apply({ type: 'listing_reading', generation, question, reading });
    const minPosition = position() ?? store.state.minPosition;
    tell({ status: 'loading' });
    let from = cursor;
    let found = 0;
    for (let pages = 0; pages < MAX_PAGES_UNASKED; pages += 1) {
      const page = await this.#persist.ask(
        wanted,
        () => this.#page(question, { minPosition, cursor: from }),
        (fault) => tell({ status: 'failed', fault }),
      );
      if (page === null) return;
      store.apply({ type: 'listing_page', generation, question, first: from === null, ...page });
      found += page.items.length;
      from = page.next;
      if (question.list !== 'search' || from === null || found >= ENOUGH_FOUND) break;
    }
    tell({ status: 'done' });
  }

  async #page(question: Question, paging: Paging): Promise<Listed> {
    const { history } = this.#persist.around;
    switch (question.list) {
      case 'threads':
        return this.#met(await history.threads(question.conversation, paging));
      case 'pins': {
        const { items, ...page } = await history.pins(question.conversation, paging);
        const pinned = items.map(({ message, by, at }) => ({ message, pinned: { by, at } }));
        void this.#people.meet(items.map(({ by }) => by));
        this.#met({ ...page, items: items.map(({ message }) => message) });
        return { items: pinned, next: page.next };
      }
      case 'search':
        return this.#met(await this.#found(question, paging));
    }
  }

  async #found(question: SearchQuestion, paging: Paging): Promise<Page<MessageItem>> {
    const { conversation, everywhere, words, from, before } = question;
    const { history } = this.#persist.around;
    const sought = {
      q: words,
      conversation: everywhere ? undefined : conversation,
      from: from === '' ? undefined : from,
    };
    if (before === null) return await history.search(sought, paging);
    const page = await history.search({ ...sought, before: await this.#seqAt(question, before) }, paging);
    return { ...page, items: page.items.filter(({ at }) => Date.parse(at) < Date.parse(before)) };
  }

  /** History goes by seq: that of the first message from then on, after which nothing older was said anywhere. */
  async #seqAt({ conversation }: SearchQuestion, before: string): Promise<number | undefined> {
    const { history, store } = this.#persist.around;
    const { minPosition } = store.state;
    const page = await history.messages(conversation, { around_at: before, limit: 2 }, { minPosition });
    return page.items.find(({ at }) => Date.parse(at) >= Date.parse(before))?.seq;
  }

  #met(page: Page<MessageItem>): Listed {
    void this.#people.meet(peopleInPage(page));
    return { items: page.items.map((message) => ({ message, pinned: null })), next: page.next };
  }
}
