import { describe, expect, it } from 'vitest';
import { decodeFrames, MalformedFrames } from './frames.ts';

const block = { type: 'block', seq: 7, position: 'p7', user: 'bob', blocked: true, id: 'i', at: 't' };

describe('a block frame', () => {
  it('cmd7_is_read_as_it_is_written', () => {
    const both = [block, { ...block, seq: 8, position: 'p8', blocked: false }];
    expect(decodeFrames(both.map((frame) => JSON.stringify(frame)).join('\n'))).toEqual(both);
  });

  it('frm2_is_not_guessed_where_it_does_not_say_which_of_the_two_it_is', () => {
    const vague = JSON.stringify({ ...block, blocked: 'yes' });
    expect(() => decodeFrames(vague)).toThrow(MalformedFrames);
  });
});
