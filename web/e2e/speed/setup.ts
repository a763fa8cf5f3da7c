/** A Natter that lets one person say as much as thousands do: what is measured is the page. */
import type { TestProject } from 'vitest/node';
import { Natter } from '../stage/natter.ts';

const MORE_THAN_ENOUGH = '100000000';
const LIMITS = ['messages', 'room-messages', 'commands', 'queries'];

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const flags = LIMITS.flatMap((limit) => [`--max-${limit}`, MORE_THAN_ENOUGH]);
  const natter = await Natter.start('speed', flags);
  project.provide('natterUrl', natter.url);
  return () => natter.end();
}
