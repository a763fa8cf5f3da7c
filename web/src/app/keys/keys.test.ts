import { describe, expect, it } from 'vitest';
import { actionsOn } from '../../features/message/actions.tsx';
import type { MessageDeeds } from '../../features/message/deeds.ts';
import { de } from '../../i18n/de.ts';
import { en } from '../../i18n/en.ts';
import { said as toMessage } from '../../store/changes.ts';
import { arePressed, type Field, isOfField, isSingle, namesOfKeys, type Pressed } from './keys.ts';
import { SHORTCUTS } from './shortcuts.ts';

const { names } = en.app.keys;

function press(key: string, more: Partial<Pressed> = {}): Pressed {
  return { key, code: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more };
}

/** The names of those that the page itself would do. */
const done = (pressed: Pressed, mac = false) =>
  SHORTCUTS.filter(({ keys, run }) => run !== undefined && arePressed(keys, pressed, mac)).map(
    ({ name }) => name,
  );

describe('shortcuts', () => {
  it('are_done_by_their_keys_and_nothing_else', () => {
    const table: [Pressed, string[], boolean?][] = [
      [press('k', { ctrlKey: true }), ['switchTo']],
      [press('k', { metaKey: true }), []],
      [press('k', { metaKey: true }), ['switchTo'], true],
      [press('k', { ctrlKey: true }), [], true],
      [press('K', { ctrlKey: true }), ['switchTo']],
      [press('K', { ctrlKey: true, shiftKey: true }), []],
      [press('k'), []],
      [press('ArrowDown', { altKey: true }), ['next']],
      [press('ArrowUp', { altKey: true, shiftKey: true }), ['previousNew']],
      [press('ArrowUp', { altKey: true, ctrlKey: true }), []],
      [press('ArrowDown'), []],
      [press('Escape'), ['back']],
      [press('n'), ['newConversation']],
      [press('N', { shiftKey: true }), []],
      // A sign stands with Shift on one keyboard and without on another.
      [press('?', { shiftKey: true }), ['help']],
      [press('?'), ['help']],
      [press('/', { shiftKey: true, code: 'Digit7' }), ['search']],
      [press('f'), ['filter']],
      [press('f', { ctrlKey: true }), []],
      // A Cyrillic, a Greek and a Dvorak keyboard.
      [press('л', { ctrlKey: true, code: 'KeyK' }), ['switchTo']],
      [press('ν', { code: 'KeyN' }), ['newConversation']],
      [press('k', { ctrlKey: true, code: 'KeyV' }), ['switchTo']],
      [press('t', { ctrlKey: true, code: 'KeyK' }), []],
      [press('Dead', { code: 'KeyN' }), []],
    ];
    for (const [pressed, expected, mac] of table)
      expect(done(pressed, mac), JSON.stringify(pressed)).toEqual(expected);
  });

  it('are_left_to_a_field_that_does_something_by_them', () => {
    const down = { alt: true, key: 'ArrowDown' } as const;
    const table: [Field, boolean, boolean][] = [
      // Each with what is so elsewhere, and on a Mac.
      [{}, false, false],
      [{ type: 'button', value: 'on' }, false, false],
      [{ type: 'checkbox', value: 'on', list: null }, false, false],
      [{ type: 'select-one', value: 'all' }, true, true],
      [{ type: 'date', value: '' }, true, true],
      [{ type: 'time', value: '22:00' }, true, true],
      [{ type: 'text', value: '', list: {} }, true, true],
      [{ type: 'text', value: '', list: null }, false, false],
      [{ type: 'textarea', value: '' }, false, false],
      [{ type: 'textarea', value: 'two\n\nparagraphs' }, false, true],
      [{ type: 'search', value: 'ada', list: null }, false, true],
    ];
    for (const [field, elsewhere, onMac] of table) {
      expect(isOfField(down, field, false), JSON.stringify(field)).toBe(elsewhere);
      expect(isOfField(down, field, true), JSON.stringify(field)).toBe(onMac);
      expect(isOfField({ ...down, shift: true }, field, true), JSON.stringify(field)).toBe(onMac);
    }
    // Other keys are none of theirs.
    expect(isOfField({ mod: true, key: 'k' }, { type: 'textarea', value: 'text' }, true)).toBe(false);
  });

  it('wcag_2_1_4_are_single_keys_where_one_would_type_them', () => {
    const single = SHORTCUTS.filter(({ keys, run }) => run !== undefined && isSingle(keys));
    expect(single.map(({ name }) => name)).toEqual(['search', 'filter', 'newConversation', 'help']);
  });

  it('are_not_those_of_another_in_the_same_place', () => {
    const all = SHORTCUTS.map(({ scope, keys }) => `${scope} ${JSON.stringify(keys)}`);
    expect(new Set(all).size).toBe(all.length);
  });

  it('are_called_as_on_the_keyboard_in_front_of_one', () => {
    expect(namesOfKeys({ mod: true, key: 'k' }, names, false)).toEqual(['Ctrl', 'K']);
    expect(namesOfKeys({ mod: true, key: 'k' }, names, true)).toEqual(['⌘', 'K']);
    const unread = { alt: true, shift: true, key: 'ArrowUp' } as const;
    expect(namesOfKeys(unread, names, false)).toEqual(['Alt', 'Shift', '↑']);
    expect(namesOfKeys(unread, names, true)).toEqual(['⌥', '⇧', '↑']);
    expect(namesOfKeys({ key: 'Escape' }, names, true)).toEqual(['Esc']);
    expect(namesOfKeys({ key: 'Delete' }, de.app.keys.names, false)).toEqual(['Entf']);
  });

  it('say_every_key_that_does_something_to_a_message', () => {
    const all = { may: { pin: true, deleteOthers: true, thread: true } } as MessageDeeds;
    const message = toMessage({ seq: 1, sender: 'ada', id: 'id', text: 'text', at: '2026-05-01T12:00:00Z' });
    const keys = actionsOn(message, { mine: true }, all, en).map(({ key }) => key);
    expect(keys).not.toContain(undefined);
    const said = SHORTCUTS.filter(({ scope }) => scope === 'message').map(({ keys }) => keys.key);
    expect(said).toEqual(expect.arrayContaining(keys));
  });
});
