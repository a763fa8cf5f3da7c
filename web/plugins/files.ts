import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** Every file in a folder and below, by its path from there, sorted: so that the same build is the same bytes. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}
