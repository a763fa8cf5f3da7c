/** Reads the directory of public rooms. */
import { faultOf, problemIn } from '../../net/problem.ts';
import type { Sought } from '../../store/directory.ts';
import { type Asking, asOfNow } from './question.ts';

export class DirectoryReader {
  readonly #asking: Asking;

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  ask(sought: Sought): Promise<void> {
    this.#asking.store.apply({ type: 'directory_asked', sought });
    return this.#read(sought, null);
  }

  async more(): Promise<void> {
    const { directory } = this.#asking.store.state;
    if (directory === null || directory.next === null) return;
    const { words, archived, next } = directory;
    await this.#read({ words, archived }, next);
  }

  /** Once more, where it could not be read. */
  again(): void {
    if (this.#asking.store.state.directory?.reading.status === 'failed') this.reread();
  }

  /** What is on the screen belongs to another past (CON3). It stays until it is read anew. */
  reread(): void {
    const { directory } = this.#asking.store.state;
    if (directory !== null) void this.ask({ words: directory.words, archived: directory.archived });
  }

  close(): void {
    this.#asking.store.apply({ type: 'directory_closed' });
  }

  async #read(sought: Sought, cursor: string | null): Promise<void> {
    const { history, store } = this.#asking;
    const { generation } = store.state;
    const { words, archived } = sought;
    try {
      const page = await history.rooms(words, { ...asOfNow(this.#asking), archived, cursor });
      // The same page may have been asked for twice.
      if (cursor !== null && store.state.directory?.next !== cursor) return;
      store.apply({ type: 'directory_page', generation, sought, first: cursor === null, page });
    } catch (error) {
      const fault = faultOf(problemIn(error));
      store.apply({ type: 'directory_failed', generation, sought, fault });
    }
  }
}
