/** The service worker, built by itself once all is there that it keeps: the list of it, with hashes, is part of it. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { ShellFile } from '../src/worker/shell.ts';
import { filesIn } from './files.ts';

const SOURCE = fileURLToPath(new URL('../src/worker/sw.ts', import.meta.url));

export async function buildWorker(folder: string): Promise<void> {
  await build({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    define: { SHELL: JSON.stringify(await shellOf(folder)) },
    build: {
      target: 'es2023',
      outDir: folder,
      emptyOutDir: false,
      rolldownOptions: { input: SOURCE, output: { entryFileNames: 'sw.js' } },
    },
  });
}

/** What the page is made of. Icons are the system's, which asks for them by itself. */
async function shellOf(folder: string): Promise<ShellFile[]> {
  const files = (await filesIn(folder)).filter(
    (file) => file === 'index.html' || file === 'favicon.svg' || file.startsWith('assets/'),
  );
  return Promise.all(
    files.map(async (file) => {
      const hash = createHash('sha256').update(await readFile(join(folder, file)));
      return [file === 'index.html' ? '/' : `/${file}`, `sha256-${hash.digest('base64')}`] as const;
    }),
  );
}
