/** Small choices that stay on this device, the same in all its tabs, each under a name of its own. Whoever reads one checks what it is. */
import { type Keep, Shelf } from './database.ts';

export class Settings {
  readonly #shelf: Shelf<{ key: string; value: unknown }>;
  readonly #channel: BroadcastChannel | null;
  readonly #values = new Map<string, unknown>();
  #closed = false;
  readonly #listeners = new Set<() => void>();

  constructor(keep: Keep) {
    this.#shelf = new Shelf(keep.database, 'settings');
    this.#channel = keep.channel('settings');
    if (this.#channel !== null) this.#channel.onmessage = ({ data }) => this.#heard(data);
  }

  get(key: string): unknown {
    return this.#values.get(key);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** What was chosen earlier, but for what was chosen since the page began. */
  async load(): Promise<void> {
    const found = await this.#shelf.all().catch(() => []);
    for (const entry of found)
      if (isEntry(entry) && !this.#values.has(entry.key)) this.#values.set(entry.key, entry.value);
    this.#tell();
  }

  set(key: string, value: unknown): void {
    if (this.#closed) return;
    this.#values.set(key, value);
    // On a full or broken disk it holds for as long as the page is there.
    this.#shelf.put({ key, value }).catch(() => {});
    this.#channel?.postMessage({ key, value });
    this.#tell();
  }

  async clear(): Promise<void> {
    this.close();
    await this.#shelf.clear();
  }

  close(): void {
    this.#closed = true;
    this.#channel?.close();
  }

  #heard(said: unknown): void {
    if (!isEntry(said)) return;
    this.#values.set(said.key, said.value);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function isEntry(entry: unknown): entry is { key: string; value: unknown } {
  return (
    typeof entry === 'object' &&
    entry !== null &&
    'value' in entry &&
    'key' in entry &&
    typeof entry.key === 'string'
  );
}
