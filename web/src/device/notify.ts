/** When this device may make itself heard. Nothing does before somebody asked for it. */

export const LEVELS = ['off', 'mentions', 'everything'] as const;
export type Level = (typeof LEVELS)[number];

export interface NotifySettings {
  /** `mentions` is also what is said to this person alone. */
  level: Level;
  sound: boolean;
  /** In percent. */
  volume: number;
  /** Whether what was said is shown, or only who said something. */
  preview: boolean;
  quiet: QuietHours;
}

export interface QuietHours {
  on: boolean;
  /** Minutes after midnight on this device's clock. */
  from: number;
  to: number;
}

export const MINUTES_PER_DAY = 24 * 60;

export const NOTIFY_DEFAULTS: NotifySettings = {
  level: 'off',
  sound: true,
  volume: 50,
  preview: true,
  quiet: { on: false, from: 22 * 60, to: 7 * 60 },
};

export function notifySettingsOf(value: unknown): NotifySettings {
  const { level, sound, volume, preview, quiet } = fieldsOf(value);
  const { on, from, to } = fieldsOf(quiet);
  const otherwise = NOTIFY_DEFAULTS;
  return {
    level: LEVELS.find((known) => known === level) ?? otherwise.level,
    sound: typeof sound === 'boolean' ? sound : otherwise.sound,
    volume: wholeUpTo(100, volume) ?? otherwise.volume,
    preview: typeof preview === 'boolean' ? preview : otherwise.preview,
    quiet: {
      on: on === true,
      from: wholeUpTo(MINUTES_PER_DAY - 1, from) ?? otherwise.quiet.from,
      to: wholeUpTo(MINUTES_PER_DAY - 1, to) ?? otherwise.quiet.to,
    },
  };
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function wholeUpTo(most: number, value: unknown): number | null {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most ? Number(value) : null;
}
