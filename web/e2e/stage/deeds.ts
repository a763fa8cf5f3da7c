/** All that somebody can do and that the log keeps, as a table: what is done with the page, and what another device of theirs hears. */
import type { Cast, Rooms } from './cast.ts';
import { callsThemselves, opensSettings } from './person/settings.ts';
import type { Person } from './person.ts';

export interface Deed {
  readonly deed: string;
  do(): Promise<void>;
  /** How it is told to those who are to hear of it (`heard`), each once. */
  readonly told: readonly string[];
}

/** Who is in the open room, and who may not be: without a network nobody could tell. */
export async function asksForPeople({ beside }: Person): Promise<void> {
  await beside.opensPeople();
  await beside.pane.getByRole('button', { name: 'Banned people' }).press('Enter');
}

export function deedsOf(ada: Person, { cy, dan, eve, gil, hal }: Cast, rooms: Rooms): Deed[] {
  const { page, talk, message, beside, list } = ada;
  const { lobby, attic, cellar } = rooms;
  const dialog = page.getByRole('dialog');
  const beginning = async () => {
    if (await beside.pane.isVisible()) await beside.closes();
    await list.open(lobby);
  };
  const withPane = (opens: () => Promise<void>, act: () => Promise<unknown>) => async () => {
    await beginning();
    await opens.call(beside);
    await act();
  };
  const acts = (text: string, action: string) => async () => {
    await beginning();
    await message.acts(text, action);
  };
  const among = (act: () => Promise<unknown>) => async () => {
    if (!(await beside.pane.isVisible())) await asksForPeople(ada);
    await act();
  };
  const one = (deed: string, told: string | readonly string[], act: () => Promise<unknown>): Deed => ({
    deed,
    told: [told].flat(),
    do: async () => void (await act()),
  });
  return [
    one(
      'add somebody',
      `member joined ${eve.handle}`,
      among(() => beside.adds(eve)),
    ),
    one(
      'give a role',
      `member role ${cy.handle}`,
      among(() => beside.does('Make moderator', cy)),
    ),
    one(
      'remove',
      `member removed ${dan.handle}`,
      among(() => beside.does('Remove from the room', dan, 'Remove')),
    ),
    one(
      'ban',
      `member banned ${gil.handle}`,
      among(() => beside.does('Ban from the room', gil, 'Ban')),
    ),
    one(
      'take back a ban',
      `member unbanned ${hal.handle}`,
      among(() =>
        beside.pane.getByRole('button', { name: `Take back the ban of ${hal.handle}` }).press('Enter'),
      ),
    ),
    one('send', 'message said', async () => {
      await beginning();
      await talk.write('said');
    }),
    one('reply', 'message answered', async () => {
      await acts('answer me', 'Reply')();
      await talk.write('answered');
    }),
    one('reply in a thread', 'message in the thread', async () => {
      await acts('talk about me', 'Reply in thread')();
      await beside.thread.write('in the thread');
    }),
    one('edit', 'edited changed', async () => {
      await acts('edit me', 'Edit')();
      await message.says('changed');
    }),
    one('delete', 'deleted', async () => {
      await acts('delete me', 'Delete')();
      await dialog.getByRole('button', { name: 'Delete' }).click();
    }),
    one('react', 'reaction add ❤️', acts('react to me', 'React with heart')),
    one('take a reaction back', 'reaction remove 👍', async () => {
      await beginning();
      await message.reaction('react to me', '👍').press('Enter');
    }),
    one('pin', 'pin add', acts('talk about me', 'Pin')),
    one('unpin', 'pin remove', acts('answer me', 'Unpin')),
    one(
      'rename a room',
      `room ${lobby} II`,
      withPane(beside.opensDetails, async () => {
        await beside.pane.getByRole('textbox', { name: 'Name' }).fill(`${lobby} II`);
        await beside.pane.getByRole('button', { name: 'Save' }).press('Enter');
      }),
    ),
    one('mute', 'preferences muted', () => list.does(lobby, 'Mute')),
    one('star', 'preferences muted starred', () => list.does(lobby, 'Star')),
    one('mark as read', 'marker', () => list.does('Bob', 'Mark as read')),
    one('block', `block ${eve.handle} true`, async () => {
      await list.open(eve.handle);
      await beside.opensProfile();
      await beside.blocks(eve.handle);
      await beside.closes();
    }),
    one('unblock', `block ${hal.handle} false`, async () => {
      await opensSettings(ada, 'Privacy');
      await page.getByRole('button', { name: `Unblock ${hal.handle}` }).press('Enter');
    }),
    one('rename oneself', 'profile Ada King', () => callsThemselves(ada, 'Ada King')),
    one('leave', `member left ${ada.handle}`, async () => {
      await list.open(attic);
      await ada.room.leaves(attic);
    }),
    one('archive', `room ${cellar} archived`, async () => {
      await list.open(cellar);
      if (!(await beside.pane.isVisible())) await beside.opensDetails();
      await beside.pane.getByRole('button', { name: 'Archive this room' }).press('Enter');
      await dialog.getByRole('button', { name: 'Archive' }).press('Enter');
    }),
    one('make a room', [`member joined ${ada.handle}`, 'room Salon'], async () => {
      await page.getByRole('link', { name: 'Find rooms' }).click();
      await page.getByRole('button', { name: 'New room' }).first().click();
      await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('Salon');
      await page.getByRole('radio', { name: 'Private' }).check();
      await page.getByRole('button', { name: 'Make it' }).click();
    }),
  ];
}
