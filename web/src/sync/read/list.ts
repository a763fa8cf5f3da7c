/** Reads the list of conversations: the first page for the eye, the others for what counts and finds in all of it. */
import type { ConversationItem, Page } from '../../net/frames.ts';
import { Problem } from '../../net/problem.ts';
import { LIST_READING, type Reading, rowReading, type State } from '../../store/state.ts';
import type { PeopleReader } from './people.ts';
import { type Persist, peopleInList } from './persist.ts';

/** Of 100 conversations each; whoever has more asks for them with a button. */
const MAX_PAGES_UNASKED = 20;

export class ListReader {
  readonly #persist: Persist;
  readonly #people: PeopleReader;
  #reading = -1;
  #readingMore = -1;

  constructor(persist: Persist, people: PeopleReader) {
    this.#persist = persist;
    this.#people = people;
  }

  /** The first page of the list; true once it is in, false when it is no longer wanted. The others follow. */
  async read(minPosition: string | null): Promise<boolean> {
    const { store, history } = this.#persist.around;
    const { generation } = store.state;
    if (this.#reading === generation) return false;
    this.#reading = generation;
    try {
      const page = await this.#persist.ask(
        this.#persist.sameGeneration(generation),
        () => history.conversations(null, { minPosition }),
        (fault) => store.apply({ type: 'list_failed', generation, fault }),
      );
      if (page === null) return false;
      this.#seen(page.items);
      store.apply({ type: 'list_page', generation, page });
      void this.readMore();
      return true;
    } finally {
      if (this.#reading === generation) this.#reading = -1;
    }
  }

  /** The pages that are not here yet, one after the other. */
  async readMore(): Promise<void> {
    const { store } = this.#persist.around;
    const { generation } = store.state;
    if (this.#readingMore === generation || store.state.listNext === null) return;
    this.#readingMore = generation;
    const reading = (reading: State['list'] | null) =>
      store.apply({ type: 'reading', generation, key: LIST_READING, reading });
    try {
      reading({ status: 'loading' });
      for (let page = 0; page < MAX_PAGES_UNASKED && store.state.listNext !== null; page += 1)
        if (!(await this.#readNext(generation, reading))) return;
      reading(null);
    } finally {
      if (this.#readingMore === generation) this.#readingMore = -1;
    }
  }

  async #readNext(generation: number, reading: (reading: State['list']) => void): Promise<boolean> {
    const { store, history } = this.#persist.around;
    const { listNext, minPosition } = store.state;
    const page = await this.#persist.ask(
      this.#persist.sameGeneration(generation),
      () => history.conversations(listNext, { minPosition }),
      (fault) => reading({ status: 'failed', fault }),
    );
    if (page === null) return false;
    this.#seen(page.items);
    store.apply({ type: 'list_page', generation, page });
    return store.state.generation === generation;
  }

  /** Takes in these rows as it comes to them from the top of the list, and takes them off what is looked for. */
  async find(rows: Set<string>, generation: number, minPosition: string | null): Promise<void> {
    const { store, history } = this.#persist.around;
    let cursor: string | null = null;
    for (let pages = 0; pages < MAX_PAGES_UNASKED && rows.size > 0; pages += 1) {
      const from: string | null = cursor;
      const page: Page<ConversationItem> | null = await this.#persist.ask(
        this.#persist.sameGeneration(generation),
        () => history.conversations(from, { minPosition }),
      );
      if (page === null) return;
      const found = page.items.filter(({ conversation }) => rows.delete(conversation));
      this.#seen(found);
      store.apply(...found.map((item) => ({ type: 'row', generation, item }) as const));
      cursor = page.next;
      if (cursor === null) return;
    }
  }

  /** The newest rows once more: of what is in no log nobody told while there was no session. */
  async rereadRows(minPosition: string | null): Promise<void> {
    const { store, history } = this.#persist.around;
    const { generation } = store.state;
    const page = await this.#persist.ask(this.#persist.sameGeneration(generation), () =>
      history.conversations(null, { minPosition }),
    );
    if (page === null) return;
    this.#seen(page.items);
    store.apply(...page.items.map((item) => ({ type: 'row', generation, item }) as const));
  }

  /** What a link names, where it is not known yet. `State.readings` tells how it goes (`rowReading`). */
  async lookFor(id: string): Promise<void> {
    const { store } = this.#persist.around;
    const { generation, minPosition } = store.state;
    const key = rowReading(id);
    const tell = (reading: Reading) => store.apply({ type: 'reading', generation, key, reading });
    if (store.state.readings.get(key)?.status === 'loading') return;
    tell({ status: 'loading' });
    const wanted = this.#persist.sameGeneration(generation);
    const found = await this.#persist.ask(
      wanted,
      () => this.rowOnce(id, generation, minPosition),
      (fault) => tell({ status: 'failed', fault }),
    );
    if (found !== null) tell({ status: 'done' });
  }

  /** Whoever was in a room and is no more still reads what they were there for; that is no conversation of theirs. */
  async rowOnce(id: string, generation: number, minPosition: string | null): Promise<void> {
    const { store, history } = this.#persist.around;
    const item = await history.conversation(id, { minPosition });
    if (item.room !== null && item.room.role === null)
      throw new Problem({ status: 403, code: 'not_member', temporary: false });
    this.#seen([item]);
    store.apply({ type: 'row', generation, item });
  }

  #seen(items: readonly ConversationItem[]): void {
    this.#persist.seenInList(items);
    // Oneself, too: also who is in no conversation yet.
    void this.#people.meet([...peopleInList(items), this.#persist.around.me]);
  }
}
