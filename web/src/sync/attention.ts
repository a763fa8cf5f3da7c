/**
 * Several tabs of one person speak with one voice: the tab that holds a lock speaks for all of them, and when it closes
 * the next one does. What each has in front of the person is the names of locks, too, which end with their tab, however
 * it ends. Where there are no locks (plain http to another machine) browsers show no notifications either: there each
 * tab speaks for itself, with no more than its sound.
 */
export interface InFront {
  /** What stands on the screen, in any tab. */
  places: ReadonlySet<string>;
  /** One of the tabs has the focus. */
  focused: boolean;
}

export class Attention {
  readonly #locks: LockManager | undefined;
  readonly #prefix: string;
  #speaks = false;
  #own: InFront = { places: new Set(), focused: false };
  readonly #held = new Map<string, () => void>();
  readonly #silence: () => void;

  constructor(locks: LockManager | undefined, me: string) {
    this.#locks = locks;
    this.#prefix = `natter:${me}:`;
    this.#speaks = locks === undefined;
    this.#silence = hold(locks, `${this.#prefix}voice`, 'exclusive', () => {
      this.#speaks = true;
    });
  }

  /** Whether this tab speaks for all. */
  get speaks(): boolean {
    return this.#speaks;
  }

  /** What this tab has in front of the person from now on. */
  show(places: readonly string[], focused: boolean): void {
    this.#own = { places: new Set(places), focused };
    const names = new Set(places.map((place) => this.#sees(place)));
    if (focused) names.add(this.#focus);
    for (const [name, letGo] of this.#held) {
      if (names.has(name)) continue;
      letGo();
      this.#held.delete(name);
    }
    for (const name of names)
      if (!this.#held.has(name)) this.#held.set(name, hold(this.#locks, name, 'shared'));
  }

  async look(): Promise<InFront> {
    const held = (await this.#locks?.query().catch(() => null))?.held ?? [];
    const names = held.map(({ name = '' }) => name);
    const sees = this.#sees('');
    const places = names.filter((name) => name.startsWith(sees)).map((name) => name.slice(sees.length));
    return {
      places: new Set([...places, ...this.#own.places]),
      focused: this.#own.focused || names.includes(this.#focus),
    };
  }

  close(): void {
    this.show([], false);
    this.#speaks = false;
    this.#silence();
  }

  get #focus(): string {
    return `${this.#prefix}focus`;
  }

  #sees(place: string): string {
    return `${this.#prefix}sees:${place}`;
  }
}

/** Holds the lock once it can be had, until what is returned is called. */
function hold(
  locks: LockManager | undefined,
  name: string,
  mode: LockMode,
  granted: () => void = () => {},
): () => void {
  const waiting = new AbortController();
  let letGo = () => {};
  const until = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const take = () => {
    granted();
    return until;
  };
  locks?.request(name, { mode, signal: waiting.signal }, take).catch(() => {});
  return () => {
    waiting.abort();
    letGo();
  };
}
