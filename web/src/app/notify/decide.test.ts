import { describe, expect, it } from 'vitest';
import { LEVELS, NOTIFY_DEFAULTS } from '../../device/notify.ts';
import { NO_PREFERENCES, type Preferences } from '../../net/frames.ts';
import { type Occasion, shouldNotify } from './decide.ts';

const NOON = new Date(2026, 4, 6, 12).getTime();
const plain = { sender: 'bob', mentions: [], mentionsRoom: false };
const naming = { ...plain, mentions: ['ada'] };
const everybody = { ...plain, mentionsRoom: true };
const everything = { ...NOTIFY_DEFAULTS, level: 'everything' } as const;

function heard(occasion: Partial<Occasion>, kind = 'room', preferences: Partial<Preferences> = {}): string {
  const { popup, sound } = shouldNotify({
    message: plain,
    conversation: { kind, preferences: { ...NO_PREFERENCES, ...preferences } },
    ...{ me: 'ada', blocked: new Set(), settings: everything, now: NOON, visible: false, focused: false },
    ...occasion,
  });
  return [popup ? 'popup' : '', sound ? 'sound' : ''].join(' ').trim();
}

describe('a message makes itself heard', () => {
  it('not_when_it_is_ones_own_or_of_somebody_who_is_blocked', () => {
    expect(heard({})).toBe('popup sound');
    expect(heard({ message: { ...naming, sender: 'ada' } })).toBe('');
    expect(heard({ message: naming, blocked: new Set(['bob']) })).toBe('');
  });

  it('not_while_it_is_read_and_only_softly_while_one_is_elsewhere_in_natter', () => {
    expect(heard({ visible: true })).toBe('');
    expect(heard({ visible: true, focused: true })).toBe('');
    expect(heard({ focused: true })).toBe('sound');
  });

  it('as_this_device_wants_it', () => {
    const told = (message: Occasion['message'], kind: string) =>
      LEVELS.map((level) => heard({ message, settings: { ...everything, level } }, kind) !== '');
    expect(told(plain, 'room')).toEqual([false, false, true]);
    expect(told(plain, 'direct')).toEqual([false, true, true]);
    expect(told(naming, 'room')).toEqual([false, true, true]);
    expect(told(everybody, 'room')).toEqual([false, true, true]);
  });

  it('as_the_conversation_was_set', () => {
    const cases: [Partial<Preferences>, plain: boolean, naming: boolean][] = [
      [{}, true, true],
      [{ starred: true }, true, true],
      [{ notify: 'mentions' }, false, true],
      [{ notify: 'nothing' }, false, false],
      [{ muted: true }, false, false],
      [{ muted: true, notify: 'mentions' }, false, true],
      [{ muted: true, notify: 'nothing' }, false, false],
      [{ hidden: true }, false, false],
      [{ hidden: true, notify: 'mentions' }, false, false],
    ];
    for (const kind of ['room', 'direct'])
      for (const [preferences, ...expected] of cases)
        expect(
          [plain, naming].map((message) => heard({ message }, kind, preferences) !== ''),
          `${kind} ${JSON.stringify(preferences)}`,
        ).toEqual(expected);
  });

  it('without_a_sound_where_none_is_wanted', () => {
    expect(heard({ settings: { ...everything, sound: false } })).toBe('popup');
    expect(heard({ settings: { ...everything, volume: 0 } })).toBe('popup');
    const quiet = { on: true, from: 11 * 60, to: 13 * 60 };
    expect(heard({ message: naming, settings: { ...everything, quiet } })).toBe('');
  });
});
