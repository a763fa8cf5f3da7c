import { cpus, loadavg, release } from 'node:os';
import type { Reporter, TestCase } from 'vitest/node';
import type { Figure } from './measure.ts';

/** Prints the figures when all are there, and where they come from. They are written nowhere. */
export default class Report implements Reporter {
  readonly #rows: (readonly [string, string, string])[] = [];
  readonly #before = loadavg()[0] ?? 0;

  onTestCaseResult(test: TestCase): void {
    const { figures = [] } = test.meta() as { figures?: Figure[] };
    for (const { name, value, unit } of figures)
      this.#rows.push([test.name, name, `${shown(value)} ${unit}`]);
  }

  onTestRunEnd(): void {
    const [{ model = 'unknown' } = {}] = cpus();
    const load = [this.#before, ...loadavg()].map((value) => value.toFixed(1));
    const settings = [
      `machine: ${cpus().length} × ${model}, ${process.platform} ${release()}, node ${process.version}`,
      `load: ${load[0]} before, ${load[1]} at the end; on a machine that does other things these figures are too bad`,
      `natter: ${process.env.NATTER_BINARY ?? 'target/debug/natter'}`,
    ];
    const widths = [0, 1].map((column) => Math.max(...this.#rows.map((row) => row[column]?.length ?? 0), 0));
    const lines = this.#rows.map(([test, name, value], n) => {
      const first = this.#rows[n - 1]?.[0] === test ? '' : test;
      return `${first.padEnd(widths[0] ?? 0)}  ${name.padEnd(widths[1] ?? 0)}  ${value}`;
    });
    process.stdout.write(`\n${[...settings, '', ...lines].join('\n')}\n`);
  }
}

function shown(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en-GB') : value.toFixed(1);
}
