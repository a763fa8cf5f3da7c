/** What a page is looked at on: two devices, each with windows of several widths, in both themes. */
import type { BrowserContextOptions, Page } from 'playwright-core';

export interface Device {
  readonly name: string;
  readonly options: BrowserContextOptions;
  /** One theme: enough for axe in every run, as long as the other device has the other one. */
  readonly usual: readonly Look[];
  /** Both themes, the system's own few colours, and the other direction: what pictures are made of. */
  readonly all: readonly Look[];
  /** The ends of what there is: things have to fit there, too. */
  readonly ends: readonly Window[];
}

export interface Look {
  readonly name: string;
  readonly theme: 'light' | 'dark';
  readonly window: Window;
  /** The person chose few colours, all of them theirs; what the page has of its own is not seen. */
  readonly forcedColors?: boolean;
  readonly direction?: Direction;
}

/** How lines run. No language of the page runs from right to left yet: what one would need is seen without its words. */
type Direction = 'ltr' | 'rtl';

interface Window {
  readonly width: number;
  readonly height: number;
}

const LAPTOP: Window = { width: 1280, height: 800 };
const LARGE: Window = { width: 2560, height: 1440 };
const PHONE: Window = { width: 390, height: 844 };
const NARROWEST: Window = { width: 320, height: 568 };
/** What is left of a laptop's window at 200 %. */
const ZOOMED: Window = { width: 640, height: 400 };
const FOUR_K: Window = { width: 3840, height: 2160 };

export const DEVICES: readonly Device[] = [
  {
    name: 'laptop',
    options: { viewport: LAPTOP },
    usual: [{ name: 'laptop-light', theme: 'light', window: LAPTOP }],
    all: [...inBothThemes('laptop', LAPTOP), ...inBothThemes('large', LARGE), ...unusual('laptop', LAPTOP)],
    ends: [ZOOMED, FOUR_K],
  },
  {
    name: 'phone',
    options: { viewport: PHONE, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
    usual: [{ name: 'phone-dark', theme: 'dark', window: PHONE }],
    all: [...inBothThemes('phone', PHONE), ...unusual('phone', PHONE)],
    ends: [NARROWEST],
  },
];

export async function putOn(page: Page, look: Look): Promise<void> {
  const { theme, window, forcedColors = false, direction = 'ltr' } = look;
  await page.emulateMedia({
    colorScheme: theme,
    reducedMotion: 'reduce',
    forcedColors: forcedColors ? 'active' : 'none',
  });
  await turn(page, direction);
  await stretch(page, window);
}

export async function turn(page: Page, direction: Direction): Promise<void> {
  await page.evaluate((dir) => {
    document.documentElement.dir = dir;
    // What floats finds its place anew.
    window.dispatchEvent(new Event('resize'));
  }, direction);
  await drawn(page);
}

export async function stretch(page: Page, window: Window): Promise<void> {
  await page.setViewportSize(window);
  await drawn(page);
}

/** Two frames: in the first one the page hears of it, by the second one it has drawn it. */
async function drawn(page: Page): Promise<void> {
  await page.evaluate(
    () => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))),
  );
}

export async function putBack(page: Page, { options }: Device): Promise<void> {
  await page.emulateMedia({ colorScheme: null, reducedMotion: null, forcedColors: null });
  await turn(page, 'ltr');
  if (options.viewport) await stretch(page, options.viewport);
}

function inBothThemes(name: string, window: Window): Look[] {
  return (['light', 'dark'] as const).map((theme) => ({ name: `${name}-${theme}`, theme, window }));
}

function unusual(name: string, window: Window): Look[] {
  return [
    { name: `${name}-forced-colors`, theme: 'dark', window, forcedColors: true },
    { name: `${name}-right-to-left`, theme: 'light', window, direction: 'rtl' },
  ];
}
