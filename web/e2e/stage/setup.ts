/** One Natter for all stories that do not stop it. Its people never meet: every story has its own. */
import type { TestProject } from 'vitest/node';
import { Natter } from './natter.ts';

declare module 'vitest' {
  interface ProvidedContext {
    natterUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // So that everybody can come from an address of their own: from one, not so many accounts may be made.
  const natter = await Natter.start('shared', ['--trusted-proxies', '1']);
  project.provide('natterUrl', natter.url);
  return () => natter.end();
}
