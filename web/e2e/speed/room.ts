import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { Api } from '../stage/api.ts';
import type { Person } from '../stage/person.ts';
import type { Arrive } from '../stage/story.ts';

export interface InRoom {
  readonly ada: Person;
  readonly bob: Person;
  readonly room: string;
  readonly name: string;
  readonly url: string;
}

/** Ada and Bob, both with the same room open; Bob is idle in his page, so that his work is not hers. */
export async function inRoom(arrive: Arrive): Promise<InRoom> {
  const url = inject('natterUrl');
  const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
  await Promise.all([ada.account.register('Ada Lovelace'), bob.account.register('Bob')]);
  // History may be asked for a room that it has not heard of yet.
  ada.expectsFault(/^answer: 404 to GET \/history\/conversations\//);
  const name = `Room ${randomBytes(4).toString('hex')}`;
  await ada.room.makes(name);
  const room = ada.room.id;
  await (await Api.of(ada, url)).command('PUT', `/api/rooms/${room}/members/${bob.handle}`);
  await bob.page.goto('about:blank');
  return { ada, bob, room, name, url };
}
