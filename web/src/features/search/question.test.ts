import { describe, expect, it } from 'vitest';
import { routeOf } from '../../hooks/route.ts';
import { askedIn, isKept, isSame, NOTHING, questionOf } from './question.ts';

const asked = (words: string, more = {}) => questionOf({ ...NOTHING, words, ...more }, 'c');

describe('a search', () => {
  it('is_asked_once_there_is_a_word', () => {
    for (const words of ['', '  ', '!?', '||']) expect(asked(words)).toBeNull();
    expect(asked(' loom ')).toMatchObject({
      words: 'loom',
      conversation: 'c',
      everywhere: false,
      before: null,
    });
  });

  it('is_of_at_most_ten_words', () => {
    expect(asked('a b c d e f g h i j')).toMatchObject({ list: 'search' });
    expect(asked('a b c d e f g h i j k')).toEqual({ fault: 'too_many_words' });
  });

  it('takes_a_handle_as_people_write_it', () => {
    expect(asked('loom', { from: ' @Bob ' })).toMatchObject({ from: 'bob' });
    expect(asked('loom', { from: 'Bob the builder' })).toEqual({ fault: 'no_handle' });
  });

  it('says_in_its_form_what_was_asked', () => {
    const form = { words: 'loom', from: 'bob', before: '2026-05-31', everywhere: true };
    const question = questionOf(form, 'c');
    if (question === null || 'fault' in question) throw new Error('no question');
    expect(askedIn(question)).toEqual(form);
    expect(isSame(question, { ...question, conversation: 'd' })).toBe(true);
    expect(isSame(question, { ...question, from: '' })).toBe(false);
  });

  it('is_let_go_unless_one_goes_to_what_it_found', () => {
    const kept = ['#/@bob/search', '#/@bob/12', '#/@bob/12/thread/7', '#/@carol/12/search'];
    const left = ['#/@bob', '#/@carol', '#/@bob/pins', '#/@bob/thread/7', '#/', '#/settings'];
    expect([...kept, ...left].filter((hash) => isKept(routeOf(hash)))).toEqual(kept);
  });
});
