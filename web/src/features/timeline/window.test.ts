import { describe, expect, it } from 'vitest';
import { said } from '../../store/changes.ts';
import { beginningOf } from './dates.ts';
import type { Line } from './timeline.ts';
import { DRAWN_AFTER, DRAWN_BEFORE, drawnOf, middleAt, readUpTo, STEP, stepFrom, wanting } from './window.ts';

const AT = '2026-05-06T12:00:00Z';

function messageLine(seq: number): Line {
  const message = said({ seq, sender: 'bob', id: '', text: 't', at: AT });
  const key = `seq ${seq}`;
  const plain = { reply: null, changes: [], mine: false, joined: false, forMe: false, receipt: null };
  return { kind: 'message', key, message, ...plain };
}

const lines = Array.from({ length: 1000 }, (_, n) => messageLine(n + 1));

describe('the window over the lines', () => {
  it('is_bounded_wherever_the_reader_is', () => {
    for (const middle of [null, ...lines.map(({ key }) => key)]) {
      const { from, to } = drawnOf(lines, middle);
      expect(to - from).toBeLessThanOrEqual(DRAWN_BEFORE + DRAWN_AFTER);
    }
  });

  it('has_the_end_where_the_reader_is_there_or_the_place_is_gone', () => {
    const end = { from: lines.length - DRAWN_AFTER, to: lines.length };
    expect(drawnOf(lines, null)).toEqual(end);
    expect(drawnOf(lines, 'gone')).toEqual(end);
    expect(drawnOf(lines.slice(0, 3), null)).toEqual({ from: 0, to: 3 });
  });

  it('keeps_the_line_that_is_being_edited', () => {
    expect(drawnOf(lines, 'seq 900', 500).from).toBe(499);
    expect(drawnOf(lines, 'seq 100', 500).to).toBe(500);
    expect(drawnOf(lines, 'seq 100', 5000)).toEqual(drawnOf(lines, 'seq 100'));
  });

  it('moves_by_steps_and_always_has_more_than_what_is_in_sight', () => {
    let middle = middleAt(lines, null, 500);
    let moves = 0;
    for (let first = 500; first > 100; first -= 1) {
      const next = middleAt(lines, middle, first);
      if (next !== middle) moves += 1;
      middle = next;
      const { from, to } = drawnOf(lines, middle);
      expect(from).toBeLessThanOrEqual(first - (DRAWN_BEFORE - STEP));
      expect(to).toBeGreaterThan(first + DRAWN_AFTER - STEP);
    }
    expect(moves).toBe(Math.floor(399 / STEP));
  });

  it('stays_over_the_same_lines_when_older_ones_come', () => {
    const before = drawnOf(lines.slice(50), 'seq 300');
    const after = drawnOf(lines, 'seq 300');
    expect(after).toEqual({ from: before.from + 50, to: before.to + 50 });
  });
});

describe('a page is asked for', () => {
  const both = { older: true, newer: true };

  it('before_the_reader_is_at_the_edge_and_only_where_there_is_more', () => {
    expect(wanting(lines, { first: 500, last: 520 }, both)).toBe(null);
    expect(wanting(lines, { first: 20, last: 40 }, both)).toBe('older');
    expect(wanting(lines, { first: 970, last: 990 }, both)).toBe('newer');
    expect(wanting(lines, { first: 0, last: 20 }, { older: false, newer: true })).toBe(null);
    expect(wanting(lines, { first: 970, last: 999 }, { older: true, newer: false })).toBe(null);
  });
});

describe('who scrolls through what is unread', () => {
  it('has_read_what_was_in_sight', () => {
    expect(readUpTo(lines, { first: 100, last: 120 }, 100, false)).toBe(121);
    expect(readUpTo(lines, { first: 90, last: 120 }, 100, false)).toBe(121);
    expect(readUpTo(lines, { first: 0, last: 5 }, 0, true)).toBe(6);
  });

  it('has_not_read_what_they_jumped_over', () => {
    expect(readUpTo(lines, { first: 500, last: 520 }, 100, true)).toBe(100);
    // What is here begins later than what is unread.
    expect(readUpTo(lines, { first: 0, last: 20 }, 0, false)).toBe(0);
  });

  it('never_reads_back', () => {
    expect(readUpTo(lines, { first: 10, last: 20 }, 100, true)).toBe(100);
  });
});

describe('the keyboard', () => {
  it('goes_from_message_to_message_past_days_and_stays_at_the_ends', () => {
    const day: Line = { kind: 'day', key: 'day', at: AT };
    const mixed = [day, messageLine(1), { kind: 'new', key: 'new' } as const, day, messageLine(2), day];
    expect(stepFrom(mixed, 1, 1)).toBe(4);
    expect(stepFrom(mixed, 4, -1)).toBe(1);
    expect(stepFrom(mixed, 4, 1)).toBe(4);
    expect(stepFrom(mixed, 1, -1)).toBe(1);
    expect(stepFrom(mixed, -1, 1)).toBe(1);
  });
});

describe('a day of the calendar', () => {
  it('begins_where_the_page_is', () => {
    expect(beginningOf('2026-05-06')).toBe(new Date(2026, 4, 6).toISOString());
    expect(beginningOf('0026-05-06')).toBe(null);
    expect(beginningOf('')).toBe(null);
    expect(beginningOf('tomorrow')).toBe(null);
  });
});
