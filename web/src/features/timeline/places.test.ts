import { describe, expect, it } from 'vitest';
import type { Client } from '../../sync/client.ts';
import { leavePlace, placeIn } from './places.ts';

describe('places that somebody left', () => {
  it('are_theirs_alone_and_forgotten_at_the_end_and_when_there_are_too_many', () => {
    // Only who they belong to matters.
    const [ada, bob] = [{} as Client, {} as Client];
    leavePlace(ada, 'c', { seq: 5, top: 12 });
    expect(placeIn(ada, 'c')).toEqual({ seq: 5, top: 12 });
    expect(placeIn(bob, 'c')).toBe(null);
    for (let n = 0; n < 49; n += 1) leavePlace(ada, `c${n}`, { seq: n, top: 0 });
    expect(placeIn(ada, 'c')).not.toBe(null);
    leavePlace(ada, 'one more', { seq: 1, top: 0 });
    expect(placeIn(ada, 'c')).toBe(null);
    leavePlace(ada, 'c1', null);
    expect(placeIn(ada, 'c1')).toBe(null);
  });
});
