/** Reads what people are called, and whom this person has blocked. */
import type { BlockItem, Page } from '../../net/frames.ts';
import { MAX_PAGE_HANDLES } from '../../net/wire/generated.ts';
import { MAX_BLOCKED } from '../../store/blocks.ts';
import type { Persist } from './persist.ts';

/** How many people may wait to be met; others are shown by their handles. */
const MAX_STRANGERS = 500;

export class PeopleReader {
  readonly #persist: Persist;
  readonly #strangers = new Set<string>();
  #meeting = false;
  #readingBlocks = -1;

  constructor(persist: Persist) {
    this.#persist = persist;
  }

  /** The names that these people chose, for those that were not met yet: many in one question, one question at a time. */
  async meet(handles: readonly string[]): Promise<void> {
    const { names } = this.#persist.around.store.state;
    await this.meetAgain(handles.filter((handle) => !names.has(handle)));
  }

  /** The same of those who may be called something else by now. */
  async meetAgain(handles: readonly string[]): Promise<void> {
    for (const handle of handles) {
      if (this.#strangers.size === MAX_STRANGERS) break;
      // Who was erased has no handle any more.
      if (handle !== '') this.#strangers.add(handle);
    }
    if (this.#meeting) return;
    this.#meeting = true;
    try {
      while (this.#strangers.size > 0 && !this.#persist.closed)
        await this.#meetThese([...this.#strangers].slice(0, MAX_PAGE_HANDLES));
    } finally {
      this.#meeting = false;
    }
  }

  async #meetThese(handles: readonly string[]): Promise<void> {
    const { store, history, position } = this.#persist.around;
    // Until there is an answer the handle stands for the name; that is no failure to speak of.
    const page = await this.#persist.ask(
      () => true,
      // As new as the session: whoever said something a moment ago is in it.
      () => history.peopleCalled(handles, { minPosition: position() }),
    );
    for (const handle of handles) this.#strangers.delete(handle);
    if (page !== null) store.apply({ type: 'met', people: page.items });
  }

  /** All pages of those whom this person has blocked; nothing to speak of until they are in. */
  async readBlocks(minPosition: string | null): Promise<void> {
    const { store, history } = this.#persist.around;
    const { generation } = store.state;
    if (this.#readingBlocks === generation) return;
    this.#readingBlocks = generation;
    const users: string[] = [];
    try {
      let cursor: string | null = null;
      do {
        const from: string | null = cursor;
        const page: Page<BlockItem> | null = await this.#persist.ask(
          this.#persist.sameGeneration(generation),
          () => history.blocks(from, { minPosition }),
        );
        if (page === null) return;
        store.apply({ type: 'met', people: page.items });
        users.push(...page.items.map(({ user }) => user));
        cursor = page.next;
      } while (cursor !== null && users.length < MAX_BLOCKED);
      store.apply({ type: 'blocks_read', generation, users });
    } finally {
      if (this.#readingBlocks === generation) this.#readingBlocks = -1;
    }
  }
}
