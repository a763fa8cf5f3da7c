import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compressAll } from './compress.ts';
import { filesIn } from './files.ts';

describe('compressed forms', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'natter-build-'));
    await mkdir(join(folder, 'assets'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('lie beside each text that gets smaller, and are the same when unpacked', async () => {
    const text = 'const greeting = "hello, wörld";\n'.repeat(100);
    await writeFile(join(folder, 'assets/a.js'), text);
    await compressAll(folder);
    expect(await filesIn(folder)).toEqual(['assets/a.js', 'assets/a.js.br', 'assets/a.js.gz']);
    const form = (suffix: string) => readFile(join(folder, `assets/a.js${suffix}`));
    expect(brotliDecompressSync(await form('.br')).toString()).toBe(text);
    expect(gunzipSync(await form('.gz')).toString()).toBe(text);
  });

  it('are not made of what is small, or is no text', async () => {
    await writeFile(join(folder, 'small.js'), 'x'.repeat(999));
    await writeFile(join(folder, 'picture.png'), 'x'.repeat(5_000));
    await compressAll(folder);
    expect(await filesIn(folder)).toEqual(['picture.png', 'small.js']);
  });
});
