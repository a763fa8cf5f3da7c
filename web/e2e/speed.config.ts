import { mergeConfig } from 'vitest/config';
import stories from './vitest.config.ts';

/** `npm run speed`: how quick the page is, in figures. Not part of any other run: what else the machine does counts, too. */
const speed = mergeConfig(stories, {});
speed.test = {
  ...speed.test,
  include: ['e2e/speed/*.speed.ts'],
  globalSetup: ['e2e/speed/setup.ts'],
  reporters: ['default', './e2e/speed/report.ts'],
  // One after the other: two would measure each other.
  maxWorkers: 1,
  fileParallelism: false,
  testTimeout: 1_800_000,
};
export default speed;
