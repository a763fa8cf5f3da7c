import type { Page } from 'playwright-core';

export interface Faults {
  readonly seen: readonly string[];
}

/** A refusal or a cut is what many stories are about; the browser notes each on the console. */
const ABOUT_THE_NETWORK = /^Failed to load resource: |^WebSocket connection to '/;

/** What a page must never do: break its own policy, throw, or complain. */
export async function watchFaults(page: Page): Promise<Faults> {
  const seen: string[] = [];
  await page.exposeFunction('noteViolation', (text: string) => seen.push(`policy: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const { effectiveDirective, blockedURI, sourceFile, lineNumber } = event;
      const { noteViolation } = window as unknown as { noteViolation(text: string): void };
      noteViolation(`${effectiveDirective} ${blockedURI} at ${sourceFile}:${lineNumber}`);
    });
  });
  page.on('pageerror', (error) => seen.push(`error: ${error.message}`));
  page.on('crash', () => seen.push('the page crashed'));
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    if (!ABOUT_THE_NETWORK.test(message.text())) seen.push(`console: ${message.text()}`);
  });
  page.on('response', (response) => {
    const { status, path } = { status: response.status(), path: new URL(response.url()).pathname };
    // Nobody is logged in at first, and a refusal to log in is what some stories ask for.
    const expected = status < 400 || status === 503 || path.startsWith('/auth/');
    if (!expected) seen.push(`answer: ${status} to ${response.request().method()} ${path}`);
  });
  return { seen };
}
