/** Whether a finger can press what is on the screen. */
import { expect } from 'vitest';
import type { Person } from './person.ts';

/** What a finger hits without aiming. */
const FINGER_PX = 44;
/** What stands among the words of a message is about as large as they are; axe sees that nothing is too near (WCAG 2.5.8). */
const IN_WORDS_PX = 22;

/** Everything that can be pressed now is as large as a finger needs, where it is pressed with one. */
export async function isLargeEnough({ page }: Person, state: string): Promise<void> {
  const found = await page.evaluate(tooSmall, { finger: FINGER_PX, inWords: IN_WORDS_PX });
  // One run says all there is to mend.
  expect.soft(found, `${state} has what a finger misses`).toEqual([]);
}

/** In the page. One line for each: what it is, and how large. */
function tooSmall(least: { finger: number; inWords: number }): string[] {
  if (!window.matchMedia('(pointer: coarse)').matches) return [];
  const CONTROLS = 'a[href], button, input, select, textarea, summary, [role="option"], [role="gridcell"]';
  /** Of the words of a message, or beside them. */
  const WORDS = '.text button, .author, .edited';
  /** Ten in the width of a phone, each as tall as a finger needs. */
  const ROW = '.emoji-categories > button';
  /** What is below a dialog is out of reach. */
  const top = document.querySelector('dialog:modal') ?? document;
  return (
    [...top.querySelectorAll(CONTROLS)]
      .filter((control) => control.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
      .map(
        (control) =>
          (control.matches('[type="radio"], [type="checkbox"]') && control.closest('label')) || control,
      )
      .map((control) => ({ control, ...control.getBoundingClientRect().toJSON() }))
      .filter(({ width, height }) => width > 1 && height > 1)
      // A link in a line of words is as tall as that.
      .filter(({ control }) => getComputedStyle(control).display !== 'inline')
      .filter(({ control, width, height }) => {
        const tall = control.matches(WORDS) ? least.inWords : least.finger;
        const wide = control.matches(`${WORDS}, ${ROW}`) ? least.inWords : least.finger;
        return height < tall - 0.5 || width < wide - 0.5;
      })
      .map(({ control, width, height }) => {
        const name = control.getAttribute('aria-label') ?? control.textContent ?? '';
        const place = control.className === '' ? (control.parentElement?.className ?? '') : control.className;
        return `${control.tagName.toLowerCase()}.${place} “${name.slice(0, 40)}” ${Math.round(width)}×${Math.round(height)}`;
      })
  );
}
