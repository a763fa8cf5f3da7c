import type { Page } from 'playwright-core';

/** Looks for a text in these elements from now on; what it gives says when it was first there, by the machine's clock. */
export async function watchText(page: Page, selector: string, text: string): Promise<() => Promise<number>> {
  await page.evaluate(
    ([where, wanted]) => {
      const seen = new Promise<number>((found) => {
        const look = () => {
          const places = [...document.querySelectorAll(where)];
          if (places.some(({ textContent }) => textContent.includes(wanted))) found(Date.now());
          else requestAnimationFrame(look);
        };
        look();
      });
      Object.assign(window, { seen });
    },
    [selector, text] as const,
  );
  return () => page.evaluate(() => (window as unknown as { seen: Promise<number> }).seen);
}
