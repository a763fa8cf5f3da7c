/** Where a click on a notification leads: an address inside the page, or the page itself. */
export function addressOf(data: unknown): string {
  const hash = typeof data === 'object' && data !== null && 'hash' in data ? data.hash : null;
  return typeof hash === 'string' && hash.startsWith('#/') ? `/${hash}` : '/';
}
