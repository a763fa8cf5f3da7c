/** `measure(…)` is a story that has figures to tell. */
import { story } from '../stage/story.ts';

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

export type Note = (name: string, value: number, unit: string) => void;

export const measure = story.extend<{ note: Note }>({
  note: async ({ task }, use) => {
    const figures: Figure[] = [];
    // What was measured before something failed is told, too.
    Object.assign(task.meta, { figures });
    await use((name, value, unit) => void figures.push({ name, value, unit }));
  },
});

/** The middle, the edges, and how many there were of them. */
export function noteTimes(note: Note, name: string, times: readonly number[], unit = 'ms'): void {
  for (const [share, label] of [
    [0.5, 'p50'],
    [0.95, 'p95'],
    [1, 'max'],
  ] as const)
    note(`${name}, ${label} of ${times.length}`, percentile(times, share), unit);
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
