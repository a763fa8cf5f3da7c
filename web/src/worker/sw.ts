/**
 * The service worker: Natter opens at once, and also without a network. It answers for the shell alone, from what it
 * fetched when it was installed. So a page never changes under somebody: a new version comes as a new worker, which waits
 * until a page tells it to take over.
 */
import { addressOf } from './clicked.ts';
import { begunOf, cacheOf, fileFor, outdated, PAGE, type ShellFile, TAKE_OVER } from './shell.ts';

declare const self: ServiceWorkerGlobalScope;
/** Every file of the shell: written in when this is built. */
declare const SHELL: readonly ShellFile[];

const FILES = SHELL;
const CACHE = cacheOf(FILES);
/** What a proxy made of a request's headers is of no interest: the bytes are checked. */
const BY_PATH = { ignoreVary: true };

self.addEventListener('install', (event) => event.waitUntil(keepShell()));
self.addEventListener('activate', (event) => event.waitUntil(begin()));
self.addEventListener('message', (event) => {
  if (event.data === TAKE_OVER) event.waitUntil(self.skipWaiting());
});
self.addEventListener('fetch', (event) => {
  const path = fileFor(event.request, FILES, self.location.origin);
  if (path !== null) event.respondWith(answer(path, event.request));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(openAt(addressOf(event.notification.data)));
});

/** All of it or nothing: where a file is another one than it was built with, this worker is not installed. */
async function keepShell(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(
    FILES.map(
      ([path, integrity]) => new Request(path, { integrity, cache: path === PAGE ? 'reload' : 'default' }),
    ),
  );
}

/** In a tab that is there, or in a new one. */
async function openAt(address: string): Promise<void> {
  const [tab] = await self.clients.matchAll({ type: 'window' });
  if (tab === undefined) await self.clients.openWindow(address);
  else await (await tab.focus()).navigate(address);
}

async function begin(): Promise<void> {
  await caches.open(begunOf(CACHE));
  const gone = outdated(await caches.keys(), CACHE);
  await Promise.all(gone.map((name) => caches.delete(name)));
  // A page that was there before the first worker is answered, too, when the network goes.
  await self.clients.claim();
}

async function answer(path: string, request: Request): Promise<Response> {
  const own = await caches.open(CACHE);
  const kept = (await own.match(path, BY_PATH)) ?? (await ofAnotherVersion(path));
  // Browsers may take away what is kept.
  return kept ?? fetch(request);
}

/** A tab of the version before asks for a file of that. The page itself is this version's or none. */
function ofAnotherVersion(path: string): Promise<Response | undefined> {
  return path === PAGE ? Promise.resolve(undefined) : caches.match(path, BY_PATH);
}
