import type { Person } from '../person.ts';

export const PASSWORD = 'correct horse battery';

/** Coming and going: somebody's account, and the pages in front of the chat. */
export class Account {
  readonly #person: Person;

  constructor(person: Person) {
    this.#person = person;
  }

  async register(displayName = ''): Promise<void> {
    await this.chooseRegistration();
    await this.fillRegistration({ displayName });
    await this.seesTheChat();
    // The list is read once the projector has come to this registration: from then on others find who registered.
    await this.#page.getByText('No conversations yet.').first().waitFor();
  }

  chooseRegistration(): Promise<void> {
    return this.#page.getByRole('button', { name: 'Create an account' }).click();
  }

  async fillRegistration({
    handle = this.#person.handle,
    displayName = '',
    password = PASSWORD,
  }: {
    handle?: string;
    displayName?: string;
    password?: string;
  }): Promise<void> {
    await this.#page.getByLabel('Handle').fill(handle);
    await this.#page.getByLabel('Display name').fill(displayName);
    await this.#page.getByLabel('Password').fill(password);
    await this.#page.getByRole('button', { name: 'Create account' }).click();
  }

  async logIn(password = PASSWORD, handle = this.#person.handle): Promise<void> {
    await this.#page.getByLabel('Handle').fill(handle);
    await this.#page.getByLabel('Password').fill(password);
    await this.#page.getByRole('button', { name: 'Log in', exact: true }).click();
  }

  /** Somebody else's account, in this browser. */
  async logInAs(other: Person): Promise<void> {
    await this.logIn(PASSWORD, other.handle);
    await this.seesTheChat(other.handle);
  }

  async logOut(): Promise<void> {
    await this.#page.getByRole('button', { name: 'Log out' }).click();
    await this.#page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click();
    await this.seesTheLogin();
  }

  async seesTheChat(handle = this.#person.handle): Promise<void> {
    await this.#page
      .getByRole('navigation', { name: 'Conversations' })
      .getByText(`Logged in as @${handle}`)
      .waitFor();
  }

  async seesTheLogin(notice?: string): Promise<void> {
    await this.#page.getByRole('form', { name: 'Log in' }).waitFor();
    if (notice !== undefined) await this.#page.getByText(notice).waitFor();
  }

  get #page() {
    return this.#person.page;
  }
}
