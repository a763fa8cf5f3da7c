import type { Person } from '../person.ts';

/** The settings, at one of their sections. */
export async function opensSettings({ page }: Person, section: string): Promise<void> {
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('region', { name: 'Settings' }).getByRole('link', { name: section }).click();
}

/** What others are to see of them. */
export async function choosesStatus(person: Person, status: string): Promise<void> {
  await opensSettings(person, 'Profile');
  await person.page.getByRole('radio', { name: status }).check();
}

/** Their display name. */
export async function callsThemselves(person: Person, name: string): Promise<void> {
  await opensSettings(person, 'Profile');
  await person.page.getByRole('textbox', { name: 'Display name' }).fill(name);
  await person.page.getByRole('button', { name: 'Save name' }).click();
}
