/** What was written and not sent: kept over a reload, and the same in every tab. */
import type { Environment } from '../net/environment.ts';
import type { ReplyItem } from '../net/frames.ts';
import { beginning } from '../store/reply.ts';
import { type Keep, Shelf } from './database.ts';
import { MAX_SCALARS } from './text.ts';

export interface Draft {
  /** Of the timeline that it is meant for (`draftKey`). */
  key: string;
  text: string;
  /** What it answers. */
  reply: ReplyItem | null;
  /** Of an edit, what the message said when it was begun. */
  base?: string;
  /** When it was written last. */
  at: number;
}

/** More than this nobody comes back to; the one that was left alone longest goes first. */
export const MAX_DRAFTS = 100;
/** A scalar has at most two units. Of more than can be sent the beginning is kept. */
const MAX_KEPT_UNITS = 2 * MAX_SCALARS;
/** What is typed within it is written to the disk once. */
const SAVE_AFTER_MS = 400;

/** A thread has a draft of its own. */
export function draftKey(conversationKey: string, thread: number | null | undefined = null): string {
  return thread == null ? conversationKey : `${conversationKey}#${thread}`;
}

/** So has a message that is being edited, in a conversation or a thread (`timelineKey`). */
export function editKey(line: string, seq: number): string {
  return `${line}!${seq}`;
}

function isEdit(key: string): boolean {
  return key.includes('!');
}

export class Drafts {
  readonly #environment: Environment;
  readonly #shelf: Shelf<Draft>;
  readonly #channel: BroadcastChannel | null;
  #drafts: ReadonlyMap<string, Draft> = new Map();
  /** Not on the disk yet as they are here. */
  readonly #unsaved = new Set<string>();
  /** The one whose field has the focus here: nobody writes into what somebody is writing. */
  #held: string | null = null;
  /** What another tab wrote there meanwhile. */
  #missed: { draft: Draft | null } | null = null;
  #cancelSave: (() => void) | null = null;
  #otherLog = false;
  #closed = false;
  readonly #listeners = new Set<() => void>();

  constructor(environment: Environment, keep: Keep) {
    this.#environment = environment;
    this.#shelf = new Shelf(keep.database, 'drafts');
    this.#channel = keep.channel('drafts');
    if (this.#channel !== null) this.#channel.onmessage = ({ data }) => this.#heard(data);
  }

  get(key: string): Draft | undefined {
    return this.#drafts.get(key);
  }

  /** Which message is being edited there: of several the one that was begun or written last. */
  editing(line: string): number | null {
    const begins = `${line}!`;
    const key = [...this.#drafts.keys()].findLast((each) => each.startsWith(begins));
    return key === undefined ? null : Number(key.slice(begins.length));
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** What earlier pages kept, but for what was written here meanwhile. */
  async load(): Promise<void> {
    const found = (await this.#shelf.all().catch((): unknown[] => [])).filter(isDraft);
    if (this.#closed) return;
    const drafts = new Map(found.map((draft) => [draft.key, draft]));
    for (const key of this.#unsaved) drafts.delete(key);
    this.#become(new Map([...drafts, ...this.#drafts]));
    if (this.#otherLog) this.otherLog();
  }

  write(key: string, change: Partial<Pick<Draft, 'text' | 'reply' | 'base'>>): void {
    const next = {
      text: '',
      reply: null,
      ...this.#drafts.get(key),
      ...change,
      key,
      at: this.#environment.now(),
    };
    // An edit goes on while its field is empty, too.
    const nothing = next.text === '' && next.reply === null && !isEdit(key);
    this.#change(key, nothing ? null : next);
  }

  drop(key: string): void {
    this.#change(key, null);
  }

  /** The log is another one: what was to be answered is something else there. */
  otherLog(): void {
    this.#otherLog = true;
    for (const { key, reply } of this.#drafts.values()) {
      // The message that was being edited is nowhere; the number is another one's.
      if (isEdit(key)) this.drop(key);
      else if (reply !== null) this.write(key, { reply: null });
    }
  }

  /** Its field has the focus now. */
  hold(key: string): void {
    this.#held = key;
  }

  /** Its field has lost the focus: what another tab wrote last is taken over. */
  release(key: string): void {
    if (this.#held !== key) return;
    this.#held = null;
    if (this.#missed !== null) this.#put(key, this.#missed.draft);
    this.#missed = null;
  }

  /** At once: the page may be gone in a moment. */
  async save(): Promise<void> {
    this.#cancelSave?.();
    this.#cancelSave = null;
    if (this.#closed) return;
    const changed = [...this.#unsaved].map((key) => ({ key, draft: this.#drafts.get(key) ?? null }));
    this.#unsaved.clear();
    const kept = changed.flatMap(({ draft }) => (draft === null ? [] : [asKept(draft)]));
    const removed = changed.flatMap(({ key, draft }) => (draft === null ? [key] : []));
    try {
      await this.#shelf.change(kept, removed);
    } catch {
      // A full or broken disk: the drafts are here for as long as the page is.
      return;
    }
    if (!this.#closed) for (const each of changed) this.#channel?.postMessage(each);
  }

  /** Forgets everything, also on disk. */
  async clear(): Promise<void> {
    this.close();
    await this.#shelf.clear();
  }

  close(): void {
    this.#closed = true;
    this.#cancelSave?.();
    this.#channel?.close();
  }

  #heard(said: unknown): void {
    if (typeof said !== 'object' || said === null || !('key' in said) || !('draft' in said)) return;
    const { key, draft } = said;
    if (typeof key !== 'string' || !(draft === null || isDraft(draft))) return;
    if (key === this.#held) this.#missed = { draft };
    else if (!this.#unsaved.has(key)) this.#put(key, draft);
  }

  #change(key: string, draft: Draft | null): void {
    if (this.#closed) return;
    if (key === this.#held) this.#missed = null;
    this.#unsaved.add(key);
    this.#put(key, draft);
    this.#cancelSave ??= this.#environment.after(SAVE_AFTER_MS, () => void this.save());
  }

  #put(key: string, draft: Draft | null): void {
    const rest = new Map(this.#drafts);
    rest.delete(key);
    this.#become(draft === null ? rest : rest.set(key, draft));
  }

  #become(drafts: ReadonlyMap<string, Draft>): void {
    const byAge = [...drafts.values()].sort((a, b) => a.at - b.at);
    const tooMany = byAge.slice(0, Math.max(0, byAge.length - MAX_DRAFTS));
    for (const { key } of tooMany) void this.#shelf.remove(key).catch(() => {});
    this.#drafts = new Map(byAge.slice(tooMany.length).map((draft) => [draft.key, draft]));
    for (const listener of this.#listeners) listener();
  }
}

function asKept(draft: Draft): Draft {
  return { ...draft, text: draft.text.slice(0, MAX_KEPT_UNITS).toWellFormed() };
}

/** The reply that a draft shows, as short as history tells it. */
export function replyTo(message: { seq: number; sender: string; text: string }): ReplyItem {
  const { seq, sender, text } = message;
  return { seq, sender, text: beginning(text), deleted: false };
}

function isDraft(value: unknown): value is Draft {
  if (typeof value !== 'object' || value === null) return false;
  const { key, text, reply, base, at } = value as Record<string, unknown>;
  return (
    typeof key === 'string' &&
    typeof text === 'string' &&
    typeof at === 'number' &&
    (base === undefined || typeof base === 'string') &&
    (reply === null || isReply(reply))
  );
}

function isReply(value: unknown): value is ReplyItem {
  if (typeof value !== 'object' || value === null) return false;
  const { seq, sender, text, deleted } = value as Record<string, unknown>;
  return (
    Number.isSafeInteger(seq) &&
    typeof sender === 'string' &&
    typeof text === 'string' &&
    typeof deleted === 'boolean'
  );
}
