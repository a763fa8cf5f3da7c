import type { Tabs } from '../outbox/outbox.ts';

const PREFIX = 'natter:tab:';

/**
 * Several tabs share one stored outbox. Each holds a lock for as long as it is open, so that a tab takes over only
 * what closed ones left. Where there are no locks (plain http to another machine) two tabs may both send a stored
 * message: the server takes its id once.
 */
export function browserTabs(locks: LockManager | undefined, id: string): Tabs {
  locks?.request(PREFIX + id, () => new Promise<never>(() => {})).catch(() => {});
  return {
    id,
    async living() {
      const held = (await locks?.query())?.held ?? [];
      const names = held.map(({ name }) => name ?? '').filter((name) => name.startsWith(PREFIX));
      return new Set([id, ...names.map((name) => name.slice(PREFIX.length))]);
    },
  };
}
