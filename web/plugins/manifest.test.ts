/** What an installed Natter is called and looks like. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const read = (path: string) => readFile(fileURLToPath(new URL(`../public${path}`, import.meta.url)));

/** Width and height, as a PNG says them. */
async function sizeOf(path: string): Promise<string> {
  const bytes = await read(path);
  expect(bytes.subarray(1, 4).toString()).toBe('PNG');
  return `${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`;
}

interface Manifest {
  readonly icons: readonly { src: string; type: string; sizes: string; purpose: string }[];
  readonly [field: string]: unknown;
}

describe('the manifest', async () => {
  const manifest = JSON.parse((await read('/manifest.webmanifest')).toString()) as Manifest;

  it('says all that an installed page needs', () => {
    expect(manifest).toMatchObject({
      id: '/',
      name: 'Natter',
      start_url: '/',
      scope: '/',
      display: 'standalone',
    });
  });

  it('says nothing that a person reads in a menu of their system: it can be said in one language only', () => {
    expect(manifest).toMatchObject({ lang: 'en', short_name: 'Natter' });
    expect(manifest).not.toHaveProperty('shortcuts');
  });

  it('names icons that are there, in the sizes that it says', async () => {
    const pictures = manifest.icons.filter(({ type }) => type === 'image/png');
    for (const { src, sizes } of pictures) expect(await sizeOf(src), src).toBe(sizes);
    const kinds = pictures.map(({ sizes, purpose }) => `${purpose} ${sizes}`);
    expect(kinds).toEqual(['any 192x192', 'any 512x512', 'maskable 512x512']);
    expect(await sizeOf('/icons/apple-touch.png')).toBe('180x180');
  });
});
