import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** A real Natter and a real Chromium. What each test does is in its name; what they stand on is in `stage/`. */
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    environment: 'node',
    // What pictures are taken of is looked at by axe in every run.
    include: ['e2e/*.e2e.ts', 'e2e/screenshots/*.ts'],
    provide: { pictures: false },
    // Stories without a page open sockets as one does; of Node they are from 22 on by themselves.
    execArgv: ['--experimental-websocket'],
    globalSetup: ['e2e/stage/setup.ts'],
    reporters: ['default', './e2e/stage/count.ts'],
    // Some stories mostly wait for a token to end, others work: two at a time keep a small machine busy.
    maxWorkers: 2,
    // Deadlines, for a machine that is busy with something else: nothing waits for them to pass.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
