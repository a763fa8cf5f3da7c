/** Every shortcut: the page listens by this table, and the sheet of keys shows it. */
import { FORMAT_KEYS, FORMATS_WITH_KEYS } from '../../features/composer/formatKeys.ts';
import { MESSAGE_KEYS } from '../../features/message/keys.ts';
import type { app } from '../words.en.ts';
import type { Keys } from './keys.ts';

export const SCOPES = ['anywhere', 'list', 'message', 'writing'] as const;
export type Scope = (typeof SCOPES)[number];

/** What the page can do when it is asked by a key. */
export interface Deeds {
  switchTo(): void;
  newConversation(): void;
  /** In what was said in the conversation that is open. */
  search(): void;
  /** To the field above the list of conversations. */
  filter(): void;
  help(): void;
  /** To the conversation below or above the one that is open. */
  step(by: 1 | -1): void;
  /** The same among those with something new. */
  stepToNew(by: 1 | -1): void;
  /** Closes what stands beside the conversation, or goes where one writes. */
  back(): void;
}

export interface Shortcut {
  name: keyof (typeof app)['keys']['deeds'];
  scope: Scope;
  keys: Keys;
  /** Absent where what has the focus does it by itself. */
  run?(deeds: Deeds): void;
}

export const SHORTCUTS: readonly Shortcut[] = [
  { ...{ name: 'switchTo', scope: 'anywhere', keys: { mod: true, key: 'k' } }, run: (to) => to.switchTo() },
  { ...{ name: 'next', scope: 'anywhere', keys: { alt: true, key: 'ArrowDown' } }, run: (to) => to.step(1) },
  {
    ...{ name: 'previous', scope: 'anywhere', keys: { alt: true, key: 'ArrowUp' } },
    run: (to) => to.step(-1),
  },
  {
    ...{ name: 'nextNew', scope: 'anywhere', keys: { alt: true, shift: true, key: 'ArrowDown' } },
    run: (to) => to.stepToNew(1),
  },
  {
    ...{ name: 'previousNew', scope: 'anywhere', keys: { alt: true, shift: true, key: 'ArrowUp' } },
    run: (to) => to.stepToNew(-1),
  },
  { ...{ name: 'back', scope: 'anywhere', keys: { key: 'Escape' } }, run: (to) => to.back() },
  { ...{ name: 'search', scope: 'anywhere', keys: { key: '/' } }, run: (to) => to.search() },
  { ...{ name: 'filter', scope: 'anywhere', keys: { key: 'f' } }, run: (to) => to.filter() },
  {
    ...{ name: 'newConversation', scope: 'anywhere', keys: { key: 'n' } },
    run: (to) => to.newConversation(),
  },
  { ...{ name: 'help', scope: 'anywhere', keys: { key: '?' } }, run: (to) => to.help() },
  { name: 'rowBelow', scope: 'list', keys: { key: 'ArrowDown' } },
  { name: 'rowAbove', scope: 'list', keys: { key: 'ArrowUp' } },
  { name: 'openRow', scope: 'list', keys: { key: 'Enter' } },
  { name: 'above', scope: 'message', keys: { key: 'ArrowUp' } },
  { name: 'below', scope: 'message', keys: { key: 'ArrowDown' } },
  { name: 'oldest', scope: 'message', keys: { key: 'Home' } },
  { name: 'newest', scope: 'message', keys: { key: 'End' } },
  { name: 'react', scope: 'message', keys: { key: 'Enter' } },
  { name: 'reply', scope: 'message', keys: { key: MESSAGE_KEYS.reply } },
  { name: 'thread', scope: 'message', keys: { key: MESSAGE_KEYS.thread } },
  { name: 'edit', scope: 'message', keys: { key: MESSAGE_KEYS.edit } },
  { name: 'delete', scope: 'message', keys: { key: MESSAGE_KEYS.delete } },
  { name: 'pin', scope: 'message', keys: { key: MESSAGE_KEYS.pin } },
  { name: 'link', scope: 'message', keys: { key: MESSAGE_KEYS.link } },
  { name: 'write', scope: 'message', keys: { key: 'Escape' } },
  { name: 'send', scope: 'writing', keys: { key: 'Enter' } },
  { name: 'newLine', scope: 'writing', keys: { shift: true, key: 'Enter' } },
  { name: 'editLast', scope: 'writing', keys: { key: 'ArrowUp' } },
  ...FORMATS_WITH_KEYS.map((name) => ({ name, scope: 'writing', keys: FORMAT_KEYS[name] }) as const),
];
