import { afterAll, inject } from 'vitest';
import { eventually } from '../stage/eventually.ts';
import { Front } from '../stage/front.ts';
import { scene } from '../stage/scene.ts';
import { closeBrowser } from '../stage/story.ts';

afterAll(closeBrowser);

scene('offer', async ({ arrive, star, show }) => {
  const [ada, bob] = await Promise.all([star('ada'), arrive('bob')]);
  // A browser without a screen has refused before it is asked.
  await ada.context.addInitScript(() => {
    Object.assign(window, { Notification: { permission: 'default', requestPermission: async () => {} } });
  });
  await ada.page.reload();
  await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
  await bob.list.talkTo(ada);
  await bob.talk.write('Good morning');
  await ada.page.getByRole('region', { name: 'Turn on notifications?' }).waitFor();
  await show(ada, 'notifications');
});

scene('connection', async ({ arrive, star, door, show }) => {
  const cable = await door();
  const [ada, bob] = await Promise.all([star('ada', cable.url), arrive('bob')]);
  await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
  await ada.list.talkTo(bob);
  await ada.talk.write('Good morning');
  await ada.talk.seesMark('Delivered');
  cable.cut();
  await ada.seesBanner(/Reconnecting|can’t be reached/);
  await show(ada, 'reconnecting');
  cable.mend();
  await ada.seesNoBanner();
  await ada.goOffline(cable);
  await show(ada, 'offline');
});

scene('update', async ({ arrive, star, show, onTestFinished }) => {
  const front = await Front.to(inject('natterUrl'));
  onTestFinished(() => front.close());
  const [ada, bob] = await Promise.all([star('ada', front.url, { serviceWorkers: 'allow' }), arrive('bob')]);
  await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
  await ada.list.talkTo(bob);
  await ada.talk.write('Good morning');
  await eventually(
    () => ada.page.evaluate(() => navigator.serviceWorker.controller?.state ?? null),
    'activated',
  );
  front.release();
  const { page } = await ada.anotherTab();
  await page.getByRole('status', { name: 'Updates' }).getByText('A new version').waitFor();
  await ada.page.getByRole('status', { name: 'Updates' }).getByText('A new version').waitFor();
  await show(ada, 'announced');
});
