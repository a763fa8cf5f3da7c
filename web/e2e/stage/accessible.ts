/** Whether everybody can use what is on the screen, as far as a program can tell: axe's rules, and nothing to scroll sideways. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults, NodeResult, Result } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Person } from './person.ts';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What a person sees now has no fault that axe knows of. */
export async function isAccessible({ page }: Person, state: string): Promise<void> {
  expect.soft(await violations(page), `${state} breaks rules of accessibility`).toEqual([]);
}

/** Nothing that a person sees now is wider than the room that it has. */
export async function fitsTheWindow({ page }: Person, state: string): Promise<void> {
  expect.soft(await scrolledSideways(page), `${state} is wider than the window`).toEqual([]);
}

/** One line for each fault: the rule, where, and what is to be put right. */
async function violations(page: Page): Promise<string[]> {
  // The page's policy is about what the page loads; what a test evaluates is none of that.
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  const found = await page.evaluate(async (values): Promise<Result[]> => {
    const { axe } = window as unknown as { axe: { run(options: object): Promise<AxeResults> } };
    return (await axe.run({ runOnly: { type: 'tag', values }, resultTypes: ['violations'] })).violations;
  }, RULES);
  return found.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${whereOf(node)}: ${whatOf(node)}`));
}

function whereOf({ target }: NodeResult): string {
  return target.flat().join(' ');
}

function whatOf({ failureSummary = '' }: NodeResult): string {
  const [, ...lines] = failureSummary.split('\n');
  return lines.map((line) => line.trim()).join(' ');
}

/** What can be scrolled sideways, though nobody should have to: code is the exception, it stands in lines of its own. */
function scrolledSideways(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('*')]
      .filter(
        (element) =>
          element === document.documentElement || /auto|scroll/.test(getComputedStyle(element).overflowX),
      )
      .filter((element) => element.tagName !== 'TEXTAREA' && element.querySelector(':scope > pre') === null)
      .filter((element) => element.scrollWidth > element.clientWidth + 1)
      .map((element) => `${element.tagName.toLowerCase()}.${element.className}`),
  );
}
