/**
 * How this device shows Natter, for everybody who uses it: known before anybody logs in, and nobody's secret. It is kept in
 * localStorage where the browser has it, and told to the other tabs.
 */
import { isLanguage, type Language } from '../i18n/language.ts';
import { NOTIFY_DEFAULTS, type NotifySettings, notifySettingsOf } from './notify.ts';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export const TEXT_SIZES = ['normal', 'large', 'larger'] as const;
export type TextSize = (typeof TEXT_SIZES)[number];

export interface DeviceSettings {
  theme: Theme;
  textSize: TextSize;
  /** As the browser is set where it is null. */
  language: Language | null;
  notify: NotifySettings;
  /** Whether somebody has been asked about notifications, and answered. */
  notifyAsked: boolean;
  /** Whether letters and signs by themselves are shortcuts. */
  singleKeys: boolean;
}

export const KEY = 'natter:device';
const DEFAULTS: DeviceSettings = {
  theme: 'system',
  textSize: 'normal',
  language: null,
  notify: NOTIFY_DEFAULTS,
  notifyAsked: false,
  singleKeys: true,
};

export interface DeviceSurroundings {
  /** Undefined where the browser has none, or does not let us. */
  storage: Pick<Storage, 'getItem' | 'setItem'> | undefined;
  /** Calls back when another tab has written. */
  onWritten(listener: () => void): void;
}

export class Device {
  readonly #around: DeviceSurroundings;
  readonly #listeners = new Set<() => void>();
  #settings: DeviceSettings;

  constructor(around: DeviceSurroundings) {
    this.#around = around;
    this.#settings = this.#read();
    around.onWritten(() => this.#become(this.#read()));
  }

  get settings(): DeviceSettings {
    return this.#settings;
  }

  /** Counts for this page also where it can't be kept. */
  change(change: Partial<DeviceSettings>): void {
    this.#become({ ...this.#settings, ...change });
    try {
      this.#around.storage?.setItem(KEY, JSON.stringify(this.#settings));
    } catch {
      // Full, or forbidden: then it is so until the page is closed.
    }
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #read(): DeviceSettings {
    try {
      return settingsOf(JSON.parse(this.#around.storage?.getItem(KEY) ?? '{}'));
    } catch {
      return DEFAULTS;
    }
  }

  #become(settings: DeviceSettings): void {
    this.#settings = settings;
    for (const listener of this.#listeners) listener();
  }
}

/** What another version of this page, or a person with the developer tools, left there is not trusted blindly. */
export function settingsOf(value: unknown): DeviceSettings {
  if (typeof value !== 'object' || value === null) return DEFAULTS;
  const { theme, textSize, language, notify, notifyAsked, singleKeys } = value as Record<string, unknown>;
  return {
    theme: THEMES.find((known) => known === theme) ?? DEFAULTS.theme,
    textSize: TEXT_SIZES.find((known) => known === textSize) ?? DEFAULTS.textSize,
    language: isLanguage(language) ? language : null,
    notify: notifySettingsOf(notify),
    notifyAsked: notifyAsked === true,
    singleKeys: singleKeys !== false,
  };
}

export function browserDevice(): Device {
  return new Device({
    storage: storageOf(window),
    onWritten: (listener) =>
      window.addEventListener('storage', ({ key }) => (key === KEY || key === null) && listener()),
  });
}

/** Some browsers throw where others have none. */
export function storageOf(of: Window): Storage | undefined {
  try {
    return of.localStorage;
  } catch {
    return undefined;
  }
}

/** The stylesheet's tokens follow these. */
export function followLooks(device: Device, root: HTMLElement): void {
  const follow = () => {
    const { theme, textSize } = device.settings;
    root.dataset.theme = theme;
    root.dataset.textSize = textSize;
    // The system's own bar around the page has its colour, too.
    for (const bar of root.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
      const { scheme = '' } = bar.dataset;
      bar.media =
        theme === 'system' ? `(prefers-color-scheme: ${scheme})` : theme === scheme ? 'all' : 'not all';
    }
  };
  device.subscribe(follow);
  follow();
}
