import { IDBFactory } from 'fake-indexeddb';
import { afterEach, expect, it, vi } from 'vitest';
import { openDatabase } from './database.ts';
import { Settings } from './settings.ts';

const open: Settings[] = [];
afterEach(() => {
  for (const settings of open.splice(0)) settings.close();
});

it('are_the_same_in_every_tab_and_in_the_next_page', async () => {
  const factory = new IDBFactory();
  const tab = async () => {
    const settings = new Settings({
      database: openDatabase(factory, 'ada'),
      channel: (name) => new BroadcastChannel(`settings-test:${name}`),
    });
    open.push(settings);
    await settings.load();
    return settings;
  };
  const [one, other] = [await tab(), await tab()];
  const heard = vi.fn();
  other.subscribe(heard);
  one.set('status', { status: 'busy', text: '' });
  await vi.waitFor(() => expect(other.get('status')).toEqual({ status: 'busy', text: '' }));
  expect(heard).toHaveBeenCalledOnce();
  other.set('status', { status: 'online', text: '' });
  await vi.waitFor(() => expect(one.get('status')).toEqual({ status: 'online', text: '' }));
  const next = await tab();
  expect(next.get('status')).toEqual({ status: 'online', text: '' });
});
