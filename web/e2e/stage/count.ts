import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** Says in the last line how many of how many hold. */
export default class Count implements Reporter {
  #startedAt = Date.now();

  onTestRunStart(): void {
    this.#startedAt = Date.now();
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules)
      for (const test of module.children.allTests()) counts[test.result().state] += 1;
    const broken = modules.filter((module) => module.errors().length > 0).length + errors.length;
    const seconds = Math.round((Date.now() - this.#startedAt) / 1000);
    const others = [
      [counts.skipped + counts.pending, 'not run'],
      [broken, 'errors outside of tests'],
    ].flatMap(([count, name]) => (count === 0 ? [] : [`, ${count} ${name}`]));
    process.stdout.write(
      `e2e: ${counts.passed} passed, ${counts.failed} failed${others.join('')}, in ${seconds} s\n`,
    );
  }
}
