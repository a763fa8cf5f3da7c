import type { Tabs } from '../outbox/outbox.ts';

const PREFIX = 'natter:tab:';

/**
 * Several tabs share one stored outbox. Each holds a lock for as long as somebody is logged in there, so that a tab takes
 * over only what ended ones left. A tab that closes keeps its lock a moment longer, so whoever saw it open waits for its end.
 * Where there are no locks (plain http to another machine) two tabs may both send a stored message: the server takes
 * its id once.
 */
export function browserTabs(locks: LockManager | undefined, id: string): Tabs {
  const listeners = new Set<() => void>();
  const awaited = new Set<string>();
  let close = () => {};
  const end = new Promise<void>((resolve) => {
    close = resolve;
  });
  locks?.request(PREFIX + id, () => end).catch(() => {});

  const awaitEnd = async (tab: string) => {
    if (awaited.has(tab)) return;
    awaited.add(tab);
    // Shared, so that those who wait do not wait for each other, nor look like the tab itself.
    await locks?.request(PREFIX + tab, { mode: 'shared' }, () => {}).catch(() => {});
    awaited.delete(tab);
    for (const listener of listeners) listener();
  };

  return {
    id,
    async living() {
      const held = (await locks?.query())?.held ?? [];
      const others = held
        .filter(({ name = '', mode }) => name.startsWith(PREFIX) && mode === 'exclusive')
        .map(({ name = '' }) => name.slice(PREFIX.length))
        .filter((tab) => tab !== id);
      for (const other of others) void awaitEnd(other);
      return new Set([id, ...others]);
    },
    onEnd(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close,
  };
}
