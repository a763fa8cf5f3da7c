/** What a build of the page still needs, once its files are there: its service worker, and compressed forms. */
import { resolve } from 'node:path';
import type { Plugin } from 'vite';
import { compressAll } from './compress.ts';
import { buildWorker } from './worker.ts';

export function finish(): Plugin {
  let folder = '';
  return {
    name: 'natter-finish',
    apply: 'build',
    configResolved({ root, build }) {
      folder = resolve(root, build.outDir);
    },
    async writeBundle() {
      await buildWorker(folder);
      await compressAll(folder);
    },
  };
}
