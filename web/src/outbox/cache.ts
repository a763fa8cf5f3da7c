/** What this page knew when it was left, on the disk: the next one begins with it. */
import { messageItem } from '../net/wire/decode/messages.ts';
import { pageOf } from '../net/wire/decode/pages.ts';
import { userItem } from '../net/wire/decode/people.ts';
import { conversationItem } from '../net/wire/decode/rooms.ts';
import {
  asRecord,
  attempt,
  fields,
  flag,
  type JsonRecord,
  list,
  orNull,
  text,
  texts,
} from '../net/wire/read.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { type Keep, Shelf } from './database.ts';

/** Goes up whenever what earlier pages kept would be read wrongly; such a snapshot is let go. */
const VERSION = 1;
/** All of it is one entry, so it is true at one position, and of two tabs the last one counts. */
const KEY = 'snapshot';

const snapshot = fields({
  position: text,
  list: pageOf(conversationItem),
  lines: list(fields({ conversation: text, messages: list(messageItem), older: flag, current: flag })),
  blocked: orNull(texts),
  people: list(userItem),
  uncounted: texts,
});

export class Cache {
  readonly #shelf: Shelf<{ key: string; version: number; snapshot: unknown }>;
  #closed = false;

  constructor(keep: Pick<Keep, 'database'>) {
    this.#shelf = new Shelf(keep.database, 'cache');
  }

  /** Null where there is none, or one that can't be read. */
  async load(): Promise<Snapshot | null> {
    const found = await this.#shelf.all().catch((): unknown[] => []);
    const entry = found.map(asRecord).find((one) => one?.key === KEY && one.version === VERSION);
    return entry ? attempt(snapshot, entry.snapshot) : null;
  }

  /** On a full or broken disk the next page begins with less. */
  save(known: Snapshot): void {
    if (this.#closed) return;
    this.#shelf.put({ key: KEY, version: VERSION, snapshot: asWire(known) }).catch(() => {});
  }

  /** Forgets it, and keeps nothing from now on. */
  async clear(): Promise<void> {
    this.#closed = true;
    await this.#shelf.clear();
  }
}

/** As it would come over the wire, so that what is read from there is checked by the same readers. */
export function asWire(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(asWire);
  const wire: JsonRecord = {};
  for (const name in value) wire[snake(name)] = asWire((value as JsonRecord)[name]);
  return wire;
}

/** There are as many as the readers know. */
const names = new Map<string, string>();

function snake(name: string): string {
  const known = names.get(name);
  if (known !== undefined) return known;
  const found = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  names.set(name, found);
  return found;
}
