/**
 * What the service worker keeps: the shell, which is the page and the files that it is made of. Nothing of anybody's is
 * among them: what people say is kept, or not, by the page.
 */

/** A file of the shell, and what its bytes have to be (`sha256-…`), so that two versions are never mixed. */
export type ShellFile = readonly [path: string, integrity: string];

/** What a page says to the worker that waits. */
export const TAKE_OVER = 'take over';

/** The page: it is the same under every address that shows a conversation. */
export const PAGE = '/';
const CONVERSATIONS = '/c/';
const ASSETS = '/assets/';

const CACHE_PREFIX = 'natter-shell-';
const BEGUN = ' begun';
/** Tabs of the version before go on until they are reloaded, and may still need a file of theirs. */
const VERSIONS_KEPT = 2;

export interface Asked {
  readonly method: string;
  readonly mode: string;
  readonly url: string;
}

/** The page names all that it is made of by hashes, so its own hash names the version. */
export function cacheOf(shell: readonly ShellFile[]): string {
  const page = shell.find(([path]) => path === PAGE);
  return `${CACHE_PREFIX}${page?.[1] ?? 'none'}`;
}

/** The file that answers a request; null where that is the network's to answer, as it is for all that is no shell. */
export function fileFor(asked: Asked, shell: readonly ShellFile[], origin: string): string | null {
  const { origin: askedOrigin, pathname, search } = new URL(asked.url);
  if (asked.method !== 'GET' || askedOrigin !== origin) return null;
  if (asked.mode === 'navigate') return pathname === PAGE || pathname.startsWith(CONVERSATIONS) ? PAGE : null;
  if (search !== '') return null;
  // Also those of another version: their names say which.
  if (pathname.startsWith(ASSETS)) return pathname;
  return pathname !== PAGE && shell.some(([path]) => path === pathname) ? pathname : null;
}

/** An empty cache that says of another one that its version began: one that waited until the next one came, no tab runs. */
export function begunOf(cache: string): string {
  return cache + BEGUN;
}

/** The caches that nobody needs any more, of all that there are in the order in which they were made. */
export function outdated(caches: readonly string[], current: string): string[] {
  const others = caches.filter((name) => name.startsWith(CACHE_PREFIX) && name !== current);
  const begun = others.filter((name) => others.includes(begunOf(name)));
  // One that was made after this one may still begin.
  const waited = others.filter((name) => !name.endsWith(BEGUN) && !begun.includes(name));
  return [
    ...begun.slice(0, 1 - VERSIONS_KEPT).flatMap((name) => [name, begunOf(name)]),
    ...waited.filter((name) => caches.indexOf(name) < caches.indexOf(current)),
  ];
}
