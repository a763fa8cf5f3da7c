/** How smoothly a page draws while something happens in it. */
import type { Page } from 'playwright-core';
import { type Note, percentile } from './measure.ts';

/** A frame that takes longer than this is seen as a stutter. */
const LONG_FRAME_MS = 50;

export async function noteFrames(note: Note, page: Page, happens: () => Promise<void>): Promise<void> {
  await page.evaluate(() => {
    const frames = { at: [] as number[], running: true };
    Object.assign(window, { frames });
    const draw = (at: number) => {
      frames.at.push(at);
      if (frames.running) requestAnimationFrame(draw);
    };
    requestAnimationFrame(draw);
  });
  await happens();
  const at = await page.evaluate(() => {
    const { frames } = window as unknown as { frames: { at: number[]; running: boolean } };
    frames.running = false;
    return frames.at;
  });
  const times = at.slice(1).map((time, n) => time - (at[n] ?? 0));
  const seconds = ((at.at(-1) ?? 0) - (at[0] ?? 0)) / 1000;
  note('frames a second', times.length / seconds, '');
  for (const [share, label] of [
    [0.5, 'p50'],
    [0.95, 'p95'],
    [0.99, 'p99'],
    [1, 'longest'],
  ] as const)
    note(`frame, ${label}`, percentile(times, share), 'ms');
  const long = times.filter((time) => time > LONG_FRAME_MS).length;
  note(`frames over ${LONG_FRAME_MS} ms in ${seconds.toFixed(0)} s`, long, '');
}

/** What the page holds, after everything that nobody needs has been let go. */
export async function noteMemory(note: Note, page: Page): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  await devtools.send('HeapProfiler.collectGarbage');
  const { metrics } = await devtools.send('Performance.getMetrics');
  const value = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
  note('memory of scripts', value('JSHeapUsedSize') / 1_048_576, 'MiB');
  note('nodes of the page', value('Nodes'), '');
  await devtools.detach();
}

/** Turns the wheel over the middle of something, a notch at a time, for as long as it is told. */
export async function turnWheel(
  page: Page,
  selector: string,
  notch: number,
  durationMs: number,
): Promise<void> {
  await page.locator(selector).first().hover();
  const end = performance.now() + durationMs;
  while (performance.now() < end) {
    await page.mouse.wheel(0, notch);
    await page.waitForTimeout(16);
  }
}
