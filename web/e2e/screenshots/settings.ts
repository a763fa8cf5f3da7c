import { afterAll, inject } from 'vitest';
import { Api } from '../stage/api.ts';
import { LONG_NAME } from '../stage/long.ts';
import { scene } from '../stage/scene.ts';
import { closeBrowser } from '../stage/story.ts';

afterAll(closeBrowser);

const SECTIONS = ['Profile', 'Password', 'Appearance', 'Language', 'Notifications', 'Privacy', 'About'];

scene('sections', async ({ arrive, star, show }) => {
  const [ada, max] = await Promise.all([star('ada'), arrive('max')]);
  await Promise.all([ada.account.register('Ada Lovelace'), max.account.register(LONG_NAME)]);
  const api = await Api.of(ada, inject('natterUrl'));
  await api.command('PUT', `/api/blocks/${max.handle}`);
  await ada.page.getByRole('link', { name: 'Settings' }).click();
  await ada.page.getByRole('heading', { name: 'Settings' }).waitFor();
  await show(ada, 'all');
  for (const section of SECTIONS) {
    await ada.page.evaluate((name) => {
      location.hash = `#/settings/${name}`;
    }, section.toLowerCase());
    await ada.page.getByRole('heading', { name: section, exact: true, level: 3 }).waitFor();
    if (section === 'Privacy') await ada.page.getByText(max.handle).first().waitFor();
    if (section === 'Notifications') {
      await ada.page.getByRole('radio', { name: 'Everything' }).check();
      await ada.page.getByRole('checkbox', { name: /^No notifications/ }).check();
    }
    await show(ada, section.toLowerCase());
  }
  await ada.page.evaluate(() => {
    location.hash = '#/settings/password';
  });
  const change = ada.page.getByRole('button', { name: 'Change password' });
  await change.click();
  await ada.page.locator('.settings-fault').first().waitFor();
  await show(ada, 'password-refused');
});
