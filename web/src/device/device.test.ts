import { describe, expect, it } from 'vitest';
import { Device, KEY, settingsOf } from './device.ts';

function kept(before: string | null = null) {
  const held = new Map(before === null ? [] : [[KEY, before]]);
  let written: () => void = () => {};
  const storage = {
    getItem: (key: string) => held.get(key) ?? null,
    setItem: (key: string, value: string) => void held.set(key, value),
  };
  const device = new Device({ storage, onWritten: (listener) => (written = listener) });
  const elsewhere = (value: string) => {
    held.set(KEY, value);
    written();
  };
  return { device, held, elsewhere };
}

describe('the device', () => {
  it('keeps_what_was_chosen', () => {
    const { device, held } = kept();
    device.change({ theme: 'dark' });
    device.change({ language: 'de' });
    expect(kept(held.get(KEY)).device.settings).toMatchObject({ theme: 'dark', language: 'de' });
  });

  it('follows_what_another_tab_chose', () => {
    const { device, elsewhere } = kept();
    let told = 0;
    device.subscribe(() => (told += 1));
    elsewhere('{"theme":"light"}');
    expect([device.settings.theme, told]).toEqual(['light', 1]);
  });

  it('does_not_trust_what_lies_there', () => {
    for (const bad of ['{', 'null', '7', '[]', '{"theme":"pink","language":"toString"}'])
      expect(kept(bad).device.settings, bad).toEqual(settingsOf({}));
  });

  it('takes_of_what_lies_there_all_that_is_right', () => {
    const quiet = { on: true, from: 1_320, to: 1_440 };
    const lies = {
      notify: { level: 'everything', sound: 1, volume: 101, quiet },
      textSize: 'large',
      notifyAsked: 1,
    };
    const { settings } = kept(JSON.stringify(lies)).device;
    expect([settings.textSize, settings.notifyAsked]).toEqual(['large', false]);
    expect(settings.notify).toEqual({
      ...{ level: 'everything', sound: true, volume: 50, preview: true },
      quiet: { on: true, from: 1_320, to: 420 },
    });
  });

  it('works_where_nothing_can_be_kept', () => {
    const storage = {
      getItem: () => {
        throw new Error('forbidden');
      },
      setItem: () => {
        throw new Error('full');
      },
    };
    const device = new Device({ storage, onWritten: () => {} });
    device.change({ theme: 'dark' });
    expect(device.settings.theme).toBe('dark');
  });
});
