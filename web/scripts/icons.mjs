// `npm run icons`: the icons of the installed app, drawn by Chromium from the favicon. Run it when that changes, and commit
// what it makes.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const WEB = fileURLToPath(new URL('..', import.meta.url));

/** Systems cut a filled icon to their own shape: what matters stays within the middle 80 %. */
const ICONS = [
  { name: '192', pixels: 192, filled: false },
  { name: '512', pixels: 512, filled: false },
  { name: 'maskable-512', pixels: 512, filled: true },
  { name: 'apple-touch', pixels: 180, filled: true },
];

const drawing = await readFile(`${WEB}/public/favicon.svg`, 'utf8');
const colour = /<path fill="(#[0-9a-f]{6})"/.exec(drawing)?.[1];
if (colour === undefined) throw new Error('the favicon has no coloured path');
// On its own colour the bubble is white, and its dots are holes.
const inverted = drawing.replaceAll('#fff', '#hole').replaceAll(colour, '#fff').replaceAll('#hole', colour);

const browser = await chromium.launch({
  executablePath: process.env.NATTER_CHROMIUM || chromium.executablePath(),
  args: ['--no-sandbox'],
});
try {
  for (const { name, pixels, filled } of ICONS) {
    const page = await browser.newPage({ viewport: { width: pixels, height: pixels } });
    const size = filled ? Math.round(pixels * 0.6) : pixels;
    await page.setContent(
      `<style>body{margin:0;height:100vh;display:grid;place-items:center;background:${filled ? colour : 'transparent'}}
      svg{width:${size}px;height:${size}px}</style>${filled ? inverted : drawing}`,
    );
    await page.screenshot({ path: `${WEB}/public/icons/${name}.png`, omitBackground: !filled });
    await page.close();
  }
} finally {
  await browser.close();
}
