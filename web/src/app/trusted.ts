/**
 * The one policy that the server's Content-Security-Policy lets a page make, and all that it allows: the address of our own
 * service worker. Everything else that Trusted Types guard stays refused.
 */

const WORKER = '/sw.js';

interface TrustedTypes {
  createPolicy(
    name: 'natter',
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string };
}

/** Registers the worker. What a policy makes is no text, but takes the place of one. */
export function registerWorker(workers: ServiceWorkerContainer): Promise<ServiceWorkerRegistration> {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  const policy = trustedTypes?.createPolicy('natter', { createScriptURL: onlyTheWorker });
  const url = policy?.createScriptURL(WORKER) ?? WORKER;
  // The browser's own cache would hide a new version for a day.
  return workers.register(url, { scope: '/', updateViaCache: 'none' });
}

export function onlyTheWorker(url: string): string {
  if (url !== WORKER) throw new TypeError(`${url} is not our service worker`);
  return url;
}
