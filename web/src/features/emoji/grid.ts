/** Where the arrows lead in a grid of several groups, each with rows of its own; cells are counted through all of them. */
export interface GridRow {
  /** The number of its first cell. */
  start: number;
  length: number;
}

export function rowsOf(sizes: readonly number[], columns: number): GridRow[] {
  const rows: GridRow[] = [];
  let start = 0;
  for (const size of sizes) {
    for (let at = 0; at < size; at += columns)
      rows.push({ start: start + at, length: Math.min(columns, size - at) });
    start += size;
  }
  return rows;
}

/** The cell that the key leads to, `up_and_out` above the first row; null where the key is none of the grid's. */
export function moved(
  rows: readonly GridRow[],
  at: number,
  { key, ctrlKey }: { key: string; ctrlKey: boolean },
  rightToLeft: boolean,
): number | 'up_and_out' | null {
  const index = rows.findIndex(({ start, length }) => at >= start && at < start + length);
  const row = rows[index];
  const last = rows.at(-1);
  if (row === undefined || last === undefined) return null;
  const end = last.start + last.length - 1;
  const within = (target: GridRow | undefined) =>
    target === undefined ? at : target.start + Math.min(at - row.start, target.length - 1);
  switch (key) {
    case 'ArrowRight':
    case 'ArrowLeft': {
      const step = (key === 'ArrowRight') === rightToLeft ? -1 : 1;
      return Math.max(0, Math.min(end, at + step));
    }
    case 'ArrowDown':
      return within(rows[index + 1]);
    case 'ArrowUp':
      return index === 0 ? 'up_and_out' : within(rows[index - 1]);
    case 'PageDown':
      return within(rows[Math.min(rows.length - 1, index + PAGE_ROWS)]);
    case 'PageUp':
      return within(rows[Math.max(0, index - PAGE_ROWS)]);
    case 'Home':
      return ctrlKey ? 0 : row.start;
    case 'End':
      return ctrlKey ? end : row.start + row.length - 1;
    default:
      return null;
  }
}

const PAGE_ROWS = 5;
