/** Reads rows of the list that something happened to: a few by themselves, many of them together. */
import type { ListReader } from './list.ts';
import type { Persist } from './persist.ts';

/** More than this are found quicker in the pages of the list, which has what is newest on top. */
const MANY_ROWS = 20;

export class RowReader {
  readonly #persist: Persist;
  readonly #list: ListReader;
  readonly #wanted = new Set<string>();
  #reading = false;

  constructor(persist: Persist, list: ListReader) {
    this.#persist = persist;
    this.#list = list;
  }

  /** Whether something is asked for that is not here yet. */
  get reading(): boolean {
    return this.#reading;
  }

  /** Of a conversation of which more is to be known than what is here: as new as what the session has told by now. */
  async read(id: string): Promise<void> {
    this.#wanted.add(id);
    if (this.#reading) return;
    this.#reading = true;
    try {
      // What is told in the same moment is asked for together.
      await Promise.resolve();
      while (this.#wanted.size > 0 && !this.#persist.closed) await this.#readWanted();
    } finally {
      this.#reading = false;
    }
  }

  async #readWanted(): Promise<void> {
    const { store } = this.#persist.around;
    const { generation } = store.state;
    const position = this.#persist.asNewAsSession();
    const rows = new Set(this.#wanted);
    this.#wanted.clear();
    if (rows.size > MANY_ROWS) await this.#list.find(rows, generation, position);
    for (const id of rows)
      await this.#persist.ask(this.#persist.sameGeneration(generation), () =>
        this.#list.rowOnce(id, generation, position),
      );
  }
}
