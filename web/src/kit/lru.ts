/** Remembers what was made for the last so many keys. */
export class Lru<K, V> {
  readonly #max: number;
  readonly #held = new Map<K, V>();

  constructor(max: number) {
    this.#max = max;
  }

  get(key: K, make: (key: K) => V): V {
    const held = this.#held.get(key);
    const value = held ?? make(key);
    // A map keeps its order: what was asked for last goes to the end, and what nobody asks for any more falls off the front.
    if (held !== undefined) this.#held.delete(key);
    this.#held.set(key, value);
    if (this.#held.size > this.#max) for (const oldest of this.#held.keys()) return this.#drop(oldest, value);
    return value;
  }

  get size(): number {
    return this.#held.size;
  }

  #drop(oldest: K, value: V): V {
    this.#held.delete(oldest);
    return value;
  }
}
