/** Reads history into the store: what is asked for, and all that is on the screen when it has to be read anew. */
import type { Snapshot } from '../store/snapshot.ts';
import { peopleOfKey } from '../store/state.ts';
import { CardReader } from './read/card.ts';
import { DirectoryReader } from './read/directory.ts';
import { ListReader } from './read/list.ts';
import { ListingsReader } from './read/listings.ts';
import { MembersReader } from './read/members.ts';
import { PeopleReader } from './read/people.ts';
import { Persist, type ReaderSurroundings } from './read/persist.ts';
import { RowReader } from './read/rows.ts';
import { SearchReader } from './read/search.ts';
import { TimelineReader } from './read/timeline.ts';

export class Reader {
  readonly people: PeopleReader;
  readonly list: ListReader;
  readonly rows: RowReader;
  readonly timelines: TimelineReader;
  readonly listings: ListingsReader;
  readonly search: SearchReader;
  readonly roster: MembersReader;
  readonly directory: DirectoryReader;
  readonly card: CardReader;
  readonly #around: ReaderSurroundings;
  readonly #persist: Persist;
  #readable = false;

  constructor(around: ReaderSurroundings) {
    this.#around = around;
    this.#persist = new Persist(around);
    this.people = new PeopleReader(this.#persist);
    this.list = new ListReader(this.#persist, this.people);
    this.rows = new RowReader(this.#persist, this.list);
    this.timelines = new TimelineReader(this.#persist, this.people, this.list);
    this.listings = new ListingsReader(this.#persist, this.people);
    this.search = new SearchReader(around);
    this.roster = new MembersReader(around);
    this.directory = new DirectoryReader(around);
    this.card = new CardReader(around);
  }

  /** Whether there is something that pages can be read against: a reset, what an earlier page knew, or no session in sight. */
  get readable(): boolean {
    return this.#readable;
  }

  /** What an earlier page had read is here again. What people are called nobody has told since. */
  restored({ list, lines, people }: Snapshot): void {
    this.#readable = true;
    this.#persist.seenInList(list.items);
    for (const { messages } of lines) this.#persist.seenInPage(messages);
    void this.people.meetAgain(people.map(({ user }) => user));
    this.#readRest();
  }

  /** The conversation and the thread that are on the screen. */
  readOpen(): void {
    const { open, thread } = this.#around.store.state;
    if (open === null || !this.#readable) return;
    void this.timelines.readNewest(open);
    if (thread !== null) void this.timelines.readThread(thread);
    void this.people.meet(peopleOfKey(open));
  }

  /** CON5: first pages, as new as the reset. True where this device then has what the reset left out. */
  readAll(position: string): Promise<boolean> {
    this.#readable = true;
    const list = this.list.read(position);
    void this.people.readBlocks(position);
    this.readOpen();
    this.roster.reread();
    this.directory.reread();
    this.listings.reread();
    return list;
  }

  /** Once more what could not be read. */
  again(): void {
    this.wake();
    this.roster.again();
    this.#readRest();
    this.readOpen();
  }

  /** What is not here yet of the list, and whom this person has blocked. */
  #readRest(): void {
    const { list, blocksRead, minPosition } = this.#around.store.state;
    if (list.status !== 'done') void this.list.read(minPosition);
    else void this.list.readMore();
    if (!blocksRead) void this.people.readBlocks(minPosition);
  }

  /** There is no session, and none in sight, but history may well answer: something to read is better than nothing. */
  alone(): void {
    if (this.#readable) return;
    this.#readable = true;
    this.again();
    this.listings.reread();
  }

  /** There is a session again. */
  live(): void {
    this.wake();
    this.roster.again();
    this.directory.again();
    void this.card.again();
  }

  /** Whatever waits for its next attempt makes it now. */
  wake(): void {
    this.#persist.wake();
  }

  close(): void {
    this.#persist.close();
  }
}
