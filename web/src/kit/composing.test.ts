import { describe, expect, it } from 'vitest';
import { isComposing } from './composing.ts';

describe('a key', () => {
  it('belongs_to_a_composition_by_its_flag_or_by_its_code', () => {
    expect(isComposing({ isComposing: true, keyCode: 13 })).toBe(true);
    expect(isComposing({ isComposing: true, keyCode: 229 })).toBe(true);
    // The Enter that confirms, as Safari tells of it.
    expect(isComposing({ isComposing: false, keyCode: 229 })).toBe(true);
    expect(isComposing({ isComposing: false, keyCode: 13 })).toBe(false);
  });
});
