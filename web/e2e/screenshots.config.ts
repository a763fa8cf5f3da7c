import { mergeConfig } from 'vitest/config';
import stories from './vitest.config.ts';

/** `npm run screenshots`: pictures of the page for people to look at, in `screenshots/`. */
const pictures = mergeConfig(stories, {});
pictures.test = { ...pictures.test, include: ['e2e/screenshots.ts'] };
export default pictures;
