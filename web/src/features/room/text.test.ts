import { describe, expect, it } from 'vitest';
import { en } from '../../i18n/en.ts';
import type { Notice } from '../../store/rooms.ts';
import { goneText, noticeText } from './text.ts';

const names = new Map([['bob', 'Bob B']]);

describe('rooms', () => {
  it('that_are_gone_say_why', () => {
    const gone = { name: 'Lobby', visibility: null, by: 'bob' };
    expect(goneText({ ...gone, change: 'left' }, names, en)).toBe('You left Lobby.');
    expect(goneText({ ...gone, change: 'removed' }, names, en)).toBe('Bob B removed you from Lobby.');
    expect(goneText({ ...gone, name: '', change: 'banned' }, names, en)).toBe(
      'Bob B banned you from this room.',
    );
  });

  it('tell_who_did_what_to_whom', () => {
    const text = (what: Notice['what'], by: string, user: string) =>
      noticeText({ seq: 1, at: '', what, by, user, name: 'Hall' }, 'alice', names, en);
    expect(text('joined', 'bob', 'bob')).toBe('Bob B joined.');
    expect(text('joined', 'alice', 'cy')).toBe('You added cy.');
    expect(text('removed', 'bob', 'cy')).toBe('Bob B removed cy.');
    expect(text('renamed', 'alice', 'alice')).toBe('You renamed the room to Hall.');
  });
});
