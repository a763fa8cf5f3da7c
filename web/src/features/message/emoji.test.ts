import { describe, expect, it } from 'vitest';
import { oneEmoji, QUICK } from './emoji.ts';

describe('reactions', () => {
  it('are_one_emoji_in_the_form_that_the_server_knows', () => {
    for (const [emoji] of QUICK) expect(oneEmoji(emoji)).toBe(emoji);
    for (const one of ['👍🏽', '🇨🇭', '👩‍👩‍👧‍👦', '1️⃣']) expect(oneEmoji(` ${one} `)).toBe(one);
    expect(oneEmoji('❤')).toBe('❤️');
    for (const other of ['', ' ', 'a', '1', '👍👍', ':+1:', '\u{fe0f}', '👍'.repeat(50)])
      expect(oneEmoji(other)).toBeNull();
  });
});
