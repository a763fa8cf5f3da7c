import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where the pictures of `npm run screenshots` are. */
export const PICTURES = fileURLToPath(new URL('../../screenshots', import.meta.url));

/** What a page looked like before is not to be taken for what it looks like now. */
export default function clear(): void {
  rmSync(PICTURES, { recursive: true, force: true });
}
