/** Reads who is in the room whose people are on the screen, and who is banned from it. */
import type { MemberItem, Page, Role } from '../../net/frames.ts';
import { faultOf, problemIn } from '../../net/problem.ts';
import { type ByRole, type MembersChange, ROLES } from '../../store/members.ts';
import { type Asking, asOfNow } from './question.ts';

export class MembersReader {
  readonly #asking: Asking;
  /** Pages on their way, so that none is asked for twice. */
  readonly #under = new Set<string>();
  /** What was asked for before this is older than what is remembered since. */
  #opened = 0;
  #bansWanted = false;

  constructor(asking: Asking) {
    this.#asking = asking;
  }

  /** From now on the members of this room are known, those in charge first, for as long as `close` is not called. */
  open(conversation: string): void {
    this.#opened += 1;
    this.#asking.store.apply({ type: 'members_opened', conversation });
    void this.#readFirst(conversation);
  }

  close(): void {
    this.#bansWanted = false;
    this.#asking.store.apply({ type: 'members_closed' });
  }

  /** Once more, where it could not be read. */
  again(): void {
    if (this.#asking.store.state.members?.reading.status === 'failed') this.reread();
  }

  /** What is on the screen belongs to another past (CON3). It stays until it is read anew. */
  reread(): void {
    const { members } = this.#asking.store.state;
    if (members === null) return;
    this.open(members.conversation);
    if (this.#bansWanted) void this.#bans(null);
  }

  /** The next page of one role. */
  more(role: Role): Promise<void> {
    const cursor = this.#asking.store.state.members?.next[role];
    return typeof cursor === 'string' ? this.#page({ role }, cursor) : Promise.resolve();
  }

  /** Those whose handle begins so, of whatever role: they are among the members from then on. */
  find(prefix: string): Promise<void> {
    return this.#page({ prefix }, null);
  }

  bans(): Promise<void> {
    const { members } = this.#asking.store.state;
    this.#bansWanted = true;
    return this.#bans(members?.banned == null ? null : members.bannedNext);
  }

  async #bans(cursor: string | null): Promise<void> {
    const { history, store } = this.#asking;
    const { members, generation } = store.state;
    if (members === null) return;
    const { conversation } = members;
    await this.#once(conversation, `bans ${cursor}`, async () => {
      const page = await history.bans(conversation, { ...asOfNow(this.#asking), cursor });
      store.apply({ type: 'met', people: page.items });
      return { type: 'bans_page', generation, conversation, first: cursor === null, page };
    });
  }

  #readFirst(conversation: string): Promise<void> {
    const { history, store } = this.#asking;
    const { generation } = store.state;
    return this.#once(conversation, 'first', async () => {
      const read = async (role: Role): Promise<[Role, Page<MemberItem>]> => [
        role,
        await history.members(conversation, { role }, asOfNow(this.#asking)),
      ];
      const pages = Object.fromEntries(await Promise.all(ROLES.map(read))) as ByRole<Page<MemberItem>>;
      store.apply({ type: 'met', people: ROLES.flatMap((role) => pages[role].items) });
      return { type: 'members_read', generation, conversation, pages };
    });
  }

  async #page(which: { role?: Role; prefix?: string }, cursor: string | null): Promise<void> {
    const { history, store } = this.#asking;
    const { members, generation } = store.state;
    if (members === null) return;
    const { conversation } = members;
    await this.#once(conversation, `${which.role} ${which.prefix} ${cursor}`, async () => {
      const page = await history.members(conversation, which, { ...asOfNow(this.#asking), cursor });
      store.apply({ type: 'met', people: page.items });
      return { type: 'members_page', generation, conversation, role: which.role ?? null, page };
    });
  }

  async #once(conversation: string, question: string, ask: () => Promise<MembersChange>): Promise<void> {
    const opened = this.#opened;
    const name = `${opened} ${question}`;
    if (this.#under.has(name)) return;
    this.#under.add(name);
    const { store } = this.#asking;
    const { generation } = store.state;
    try {
      const change = await ask();
      if (opened === this.#opened) store.apply(change);
    } catch (error) {
      const reading = { status: 'failed', fault: faultOf(problemIn(error)) } as const;
      if (opened === this.#opened)
        store.apply({ type: 'members_reading', generation, conversation, reading });
    } finally {
      this.#under.delete(name);
    }
  }
}
