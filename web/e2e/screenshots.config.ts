import { mergeConfig } from 'vitest/config';
import stories from './vitest.config.ts';

/** `npm run screenshots`: pictures of every page and state for people to look at, in `screenshots/`. */
const pictures = mergeConfig(stories, {});
pictures.test = {
  ...pictures.test,
  include: ['e2e/screenshots/*.ts'],
  globalSetup: ['e2e/stage/pictures.ts', 'e2e/stage/setup.ts'],
  provide: { pictures: true },
};
export default pictures;
