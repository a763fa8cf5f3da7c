import { afterAll } from 'vitest';
import { closeBrowser } from '../stage/story.ts';
import { measure, noteTimes } from './measure.ts';

afterAll(closeBrowser);

const OPENINGS = 10;

measure('the emoji picker', async ({ arrive, note }) => {
  const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
  await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
  await ada.list.talkTo(bob);
  const opener = ada.page.getByRole('button', { name: 'Emoji', exact: true });
  const picker = ada.page.getByRole('dialog', { name: 'Pick an emoji' });
  const times: number[] = [];
  for (let n = 0; n < OPENINGS; n += 1) {
    await opener.hover();
    const drawn = ada.page.evaluate(watchPicker);
    await opener.click();
    times.push(await drawn);
    await ada.page.keyboard.press('Escape');
    await picker.waitFor({ state: 'detached' });
  }
  note('from the click to the emoji, the first time', times[0] ?? Number.NaN, 'ms');
  noteTimes(note, 'from the click to the emoji, later', times.slice(1));
});

/** In the page: from the next click to the frame that shows emoji. */
function watchPicker(): Promise<number> {
  return new Promise((done) => {
    let clicked = 0;
    document.addEventListener('click', ({ timeStamp }) => (clicked = timeStamp), {
      capture: true,
      once: true,
    });
    const look = () => {
      if (clicked > 0 && document.querySelectorAll('.emoji-picker [role=gridcell]').length > 8)
        requestAnimationFrame(() => done(performance.now() - clicked));
      else requestAnimationFrame(look);
    };
    look();
  });
}
