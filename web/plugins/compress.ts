/** Compressed forms beside the files of a build, which the server sends to whoever accepts them. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { filesIn } from './files.ts';

/** Pictures and fonts are compressed as they are. */
const COMPRESSIBLE = /\.(?:html|js|css|svg|json|webmanifest)$/;
/** Below one packet nothing is won. */
const MIN_BYTES = 1_000;

/** A file in its forms, by how their names go on. */
async function formsOf(bytes: Buffer): Promise<Record<'.br' | '.gz', Buffer>> {
  const size = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(bytes, {
      params: { ...size, [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY },
    }),
    promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }),
  ]);
  return { '.br': br, '.gz': gz };
}

export async function compressAll(folder: string): Promise<void> {
  const files = (await filesIn(folder)).filter((file) => COMPRESSIBLE.test(file));
  await Promise.all(files.map((file) => compress(join(folder, file))));
}

async function compress(path: string): Promise<void> {
  const bytes = await readFile(path);
  if (bytes.length < MIN_BYTES) return;
  const forms = Object.entries(await formsOf(bytes)).filter(([, form]) => form.length < bytes.length);
  await Promise.all(forms.map(([suffix, form]) => writeFile(path + suffix, form)));
}
