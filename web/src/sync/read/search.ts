/** Looks for people and rooms, once for each question; rejects with a `Problem`. */
import type { MemberItem, RoomItem, UserItem } from '../../net/frames.ts';
import type { ReaderSurroundings } from './persist.ts';

export class SearchReader {
  readonly #around: ReaderSurroundings;

  constructor(around: ReaderSurroundings) {
    this.#around = around;
  }

  async people(prefix: string, signal: AbortSignal): Promise<UserItem[]> {
    const page = await this.#around.history.people(prefix, { minPosition: null, signal });
    this.#around.store.apply({ type: 'met', people: page.items });
    return page.items;
  }

  /** Who is in a conversation, by the beginning of their handle. */
  async members(conversation: string, prefix: string, signal: AbortSignal): Promise<MemberItem[]> {
    const { store, history } = this.#around;
    const { minPosition } = store.state;
    const which = { prefix: prefix === '' ? undefined : prefix };
    const page = await history.members(conversation, which, { minPosition, cursor: null, signal });
    store.apply({ type: 'met', people: page.items });
    return page.items;
  }

  /** Public rooms in whose name or topic words begin with these; the first page of them. */
  async rooms(words: string, signal: AbortSignal): Promise<RoomItem[]> {
    const { store, history } = this.#around;
    return (await history.rooms(words, { minPosition: store.state.minPosition, signal })).items;
  }

  /** A room that anybody finds. */
  room(id: string, signal: AbortSignal): Promise<RoomItem> {
    const { store, history } = this.#around;
    return history.room(id, { minPosition: store.state.minPosition, signal });
  }
}
