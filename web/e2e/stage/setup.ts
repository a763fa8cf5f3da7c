/** One Natter for all stories that do not stop it. Its people never meet: every story has its own. */
import type { TestProject } from 'vitest/node';
import { Natter } from './natter.ts';

declare module 'vitest' {
  interface ProvidedContext {
    natterUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const natter = await Natter.start('shared');
  project.provide('natterUrl', natter.url);
  return () => natter.end();
}
