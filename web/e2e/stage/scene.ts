/**
 * `scene(…)` is a story that leads through the states of a page and shows each of them: on a laptop and on a phone, light and
 * dark. Every state is looked at by axe, and has to fit its window, also the narrowest and the widest, from left to right and
 * from right to left; on a phone a finger has to hit what it shows. `npm run screenshots` takes pictures besides, for people
 * to look at. Nothing is compared.
 */
import { basename, join } from 'node:path';
import { inject } from 'vitest';
import { fitsTheWindow, isAccessible } from './accessible.ts';
import { DEVICES, type Device, putBack, putOn, stretch, turn } from './looks.ts';
import type { Person } from './person.ts';
import { PICTURES } from './pictures.ts';
import { type Circumstances, type Stage, story } from './story.ts';
import { isLargeEnough } from './targets.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether pictures are taken. */
    pictures: boolean;
  }
}

/** What a scene has besides what every story has. */
export interface Scene extends Stage {
  /** Brings on the one whose page is looked at, with the device that it is looked at on. Everybody else has a laptop. */
  star(name: string, url?: string, circumstances?: Circumstances): Promise<Person>;
  show: Show;
  /** What was begun for this scene alone ends with it. */
  onTestFinished(end: () => Promise<void>): void;
}

/**
 * Shows the state that somebody's page is in, by a name of its own. What does not last by itself, such as that somebody is
 * typing, is brought about `again` for each look.
 */
export type Show = (person: Person, state: string, again?: () => Promise<void>) => Promise<void>;

export function scene(name: string, tell: (stage: Scene) => Promise<void>): void {
  for (const device of DEVICES) {
    story(`${name}_on_a_${device.name}`, async ({ task, arrive, door, onTestFinished }) => {
      const star = (who: string, url?: string, circumstances?: Circumstances) =>
        arrive(who, url, { ...device.options, ...circumstances });
      const show = showing(device, `${basename(task.file.name, '.ts')}-${name}`);
      await tell({ arrive, door, star, show, onTestFinished });
    });
  }
}

function showing(device: Device, scene: string): Show {
  let n = 0;
  return async (person, state, again = async () => {}) => {
    n += 1;
    const name = `${scene}-${String(n).padStart(2, '0')}-${state}`;
    for (const look of inject('pictures') ? device.all : device.usual) {
      await putOn(person.page, look);
      await again();
      if (inject('pictures')) await take(person, `${name}-${look.name}`);
      await fitsTheWindow(person, `${name} (${look.name})`);
      await isLargeEnough(person, `${name} (${look.name})`);
      // Axe does not know whose colours these are; all else of the page is as in the other looks.
      if (look.forcedColors !== true) await isAccessible(person, `${name} (${look.name})`);
    }
    for (const window of device.ends) {
      await stretch(person.page, window);
      await fitsTheWindow(person, `${name} (${window.width} pixels)`);
      await turn(person.page, 'rtl');
      await fitsTheWindow(person, `${name} (${window.width} pixels, from right to left)`);
      await turn(person.page, 'ltr');
    }
    await putBack(person.page, device);
  };
}

async function take({ page }: Person, name: string): Promise<void> {
  await page.screenshot({ path: join(PICTURES, `${name}.png`), animations: 'disabled' });
}
