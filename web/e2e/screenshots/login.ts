import { afterAll } from 'vitest';
import { scene } from '../stage/scene.ts';
import { closeBrowser } from '../stage/story.ts';

afterAll(closeBrowser);

scene('coming', async ({ star, show }) => {
  const ada = await star('ada');
  await ada.account.seesTheLogin();
  await show(ada, 'log-in');
  await ada.account.logIn('a wrong password');
  await ada.seesProblem('Handle and password don’t match.');
  await show(ada, 'refused');
  await ada.account.chooseRegistration();
  await show(ada, 'register');
  await ada.account.fillRegistration({ password: 'short' });
  await ada.seesProblem(/8/);
  await show(ada, 'register-refused');
});

scene('going', async ({ star, show }) => {
  const ada = await star('ada');
  await ada.account.register('Ada Lovelace');
  const second = await ada.anotherTab();
  await second.account.seesTheChat();
  await ada.page.getByRole('button', { name: 'Log out' }).click();
  await show(ada, 'log-out');
  await ada.page.keyboard.press('Escape');
  await ada.account.logOut();
  await second.account.seesTheLogin('You were logged out.');
  await show(second, 'logged-out');
});
