import { describe, expect, it } from 'vitest';
import { completed, completingAt, isComplete, rankedPeople } from './completion.ts';
import { type Edit, edited } from './edit.ts';
import { type Format, formatted } from './formatting.ts';

/** The caret stands at the bar. */
const at = (written: string) => {
  const caret = written.indexOf('|');
  return completingAt(written.slice(0, caret) + written.slice(caret + 1), caret);
};

describe('what is being completed', () => {
  it('is_a_person_behind_an_at_that_begins_a_word', () => {
    expect(at('@|')).toEqual({ kind: 'person', from: 0, to: 1, query: '' });
    expect(at('Hi @ad|')).toEqual({ kind: 'person', from: 3, to: 6, query: 'ad' });
    expect(at('(@ad|')?.query).toBe('ad');
    expect(at('one,@bob|')?.query).toBe('bob');
    expect(at('line\n@René|')?.query).toBe('René');
  });

  it('is_nobody_in_an_address_a_path_or_behind_another_at', () => {
    for (const written of ['ada@exa|', 'a.b@exa|', 'x/@bob|', '@@bob|', '@ ada|', 'é@ad|'])
      expect(at(written), written).toBeNull();
  });

  it('reaches_to_the_end_of_the_word_that_the_caret_is_in', () => {
    expect(at('Hi @a|da and')).toEqual({ kind: 'person', from: 3, to: 7, query: 'a' });
    expect(at('so :ta|da: it is')).toEqual({ kind: 'emoji', from: 3, to: 9, query: 'ta' });
  });

  it('is_an_emoji_from_two_letters_on', () => {
    expect(at(':t|')).toBeNull();
    expect(at('Yes :ta|')).toEqual({ kind: 'emoji', from: 4, to: 7, query: 'ta' });
    expect(at(':+1|')?.query).toBe('+1');
    expect(at('🎉:ta|')?.query).toBe('ta');
    expect(at(':tada::ro|')?.query).toBe('ro');
  });

  it('is_nothing_where_nobody_means_an_emoji', () => {
    for (const written of [':) |', ':D|', ':-)|', '12:30|', 'std::vec|', 'https://x|', 'a:bc|'])
      expect(at(written), written).toBeNull();
  });

  it('is_nothing_in_code', () => {
    expect(at('`@ad|`')).toBeNull();
    expect(at('`let :ta|')).toBeNull();
    expect(at('```\n@ad|')).toBeNull();
    expect(at('`x` @ad|')?.query).toBe('ad');
  });

  it('is_found_quickly_in_a_very_long_text', () => {
    const text = `${'a'.repeat(200_000)} @ad`;
    const begin = performance.now();
    expect(completingAt(text, text.length)?.query).toBe('ad');
    expect(performance.now() - begin).toBeLessThan(200);
  });
});

describe('what was chosen', () => {
  const choose = (written: string, chosen: string) => {
    const caret = written.indexOf('|');
    const text = written.replace('|', '');
    const completing = completingAt(text, caret);
    if (completing === null) throw new Error(`nothing to complete in ${written}`);
    const edit = completed(text, completing, chosen);
    const after = edited(text, edit);
    const [place] = edit.select ?? [edit.from + edit.text.length];
    return `${after.slice(0, place)}|${after.slice(place)}`;
  };

  it('takes_the_place_of_the_word_and_leaves_a_space_for_the_next', () => {
    expect(choose('Hi @ad|', '@ada')).toBe('Hi @ada |');
    expect(choose('@ad| hello', '@ada')).toBe('@ada |hello');
    expect(choose('(@ad|)', '@ada')).toBe('(@ada|)');
    expect(choose('@a|dx, hello', '@ada')).toBe('@ada|, hello');
    expect(choose('so :ta|da: it', '🎉')).toBe('so 🎉 |it');
    expect(choose('one @b|\ntwo', '@bob')).toBe('one @bob|\ntwo');
  });
});

describe('what is written to its end', () => {
  const isWritten = (text: string, chosen: string) => {
    const completing = completingAt(text, text.length);
    return completing !== null && isComplete(text, completing, chosen);
  };

  it('leaves_nothing_to_choose', () => {
    expect(isWritten('Look, @ada', '@ada')).toBe(true);
    expect(isWritten('Look, @ad', '@ada')).toBe(false);
    expect(isWritten('Look, @ada', '@adam')).toBe(false);
    expect(isWritten('so :tada', '🎉')).toBe(false);
  });
});

describe('the people of a completion', () => {
  const people = [
    { handle: 'ada', name: 'Ada Lovelace' },
    { handle: 'adam', name: 'Adam' },
    { handle: 'rene', name: 'René Descartes' },
    { handle: 'zoe', name: 'Ädele Zoë' },
    { handle: 'bob', name: 'Bob' },
  ];
  const handles = (query: string, lately: string[] = [], limit = 8) =>
    rankedPeople(query, people, lately, limit).map(({ handle }) => handle);

  it('are_found_by_handle_and_by_every_word_of_the_name', () => {
    expect(handles('ad')).toEqual(['ada', 'adam', 'zoe']);
    expect(handles('love')).toEqual(['ada']);
    expect(handles('DESC')).toEqual(['rene']);
    expect(handles('x')).toEqual([]);
  });

  it('are_found_without_accents', () => {
    expect(handles('rené')).toEqual(['rene']);
    expect(handles('ade')).toEqual(['zoe']);
    expect(handles('zoe')).toEqual(['zoe']);
  });

  it('who_spoke_lately_come_first', () => {
    expect(handles('ad', ['zoe', 'adam'])).toEqual(['zoe', 'adam', 'ada']);
    expect(handles('', ['bob'])).toEqual(['bob', 'ada', 'adam', 'rene', 'zoe']);
    // But for the one whose handle is written out.
    expect(handles('ada', ['adam'])).toEqual(['ada', 'adam']);
  });

  it('are_each_there_once_and_not_too_many', () => {
    expect(rankedPeople('a', [...people, ...people], [], 8)).toHaveLength(3);
    expect(handles('', [], 2)).toHaveLength(2);
  });
});

describe('a format', () => {
  /** What is selected stands between brackets of this kind. */
  const put = (written: string, format: Format) => {
    const from = written.indexOf('⟦');
    const to = written.indexOf('⟧') - 1;
    const text = written.replace(/[⟦⟧]/g, '');
    const edit: Edit = formatted(text, from, to, format);
    const after = edited(text, edit);
    const [start, end] = edit.select ?? [0, 0];
    return `${after.slice(0, start)}⟦${after.slice(start, end)}⟧${after.slice(end)}`;
  };

  it('goes_around_what_is_selected_and_away_again', () => {
    expect(put('a ⟦word⟧ b', 'bold')).toBe('a **⟦word⟧** b');
    expect(put('a **⟦word⟧** b', 'bold')).toBe('a ⟦word⟧ b');
    expect(put('a ⟦**word**⟧ b', 'bold')).toBe('a ⟦word⟧ b');
    expect(put('⟦word⟧', 'italic')).toBe('_⟦word⟧_');
    expect(put('⟦word⟧', 'strike')).toBe('~~⟦word⟧~~');
    expect(put('⟦word⟧', 'spoiler')).toBe('||⟦word⟧||');
    expect(put('⟦word⟧', 'code')).toBe('`⟦word⟧`');
  });

  it('waits_around_the_caret_where_nothing_is_selected', () => {
    expect(put('a ⟦⟧', 'bold')).toBe('a **⟦⟧**');
    expect(put('a **⟦⟧**', 'bold')).toBe('a ⟦⟧');
  });

  it('leaves_blanks_at_the_ends_outside', () => {
    expect(put('a⟦ word ⟧b', 'bold')).toBe('a **⟦word⟧** b');
  });

  it('of_several_lines_of_code_is_a_fence', () => {
    expect(put('see ⟦a\nb⟧', 'code')).toBe('see \n```\n⟦a\nb⟧\n```');
  });

  it('of_a_link_asks_for_what_is_missing', () => {
    expect(put('⟦here⟧', 'link')).toBe('[here](⟦https://⟧)');
    expect(put('⟦https://example.org/a⟧', 'link')).toBe('[⟦⟧](https://example.org/a)');
  });

  it('of_lines_stands_in_front_of_each_and_goes_again', () => {
    expect(put('one\nt⟦wo\nthr⟧ee\nfour', 'list')).toBe('one\n- two\n- three⟦⟧\nfour');
    expect(put('- one\n⟦- two⟧', 'list')).toBe('- one\ntwo⟦⟧');
    expect(put('⟦one⟧', 'quote')).toBe('> one⟦⟧');
  });
});
