/** Those with whom, and before whom, everything is done that the log keeps. */
import { randomBytes } from 'node:crypto';
import type { ServerFrame } from '../../src/net/frames.ts';
import type { Command } from '../../src/outbox/commands/commands.ts';
import { deviceOf, type Someone, someone } from './client.ts';
import { eventually } from './eventually.ts';
import type { Named, Person } from './person.ts';

/** Those who are talked about: without pages, and the same for every story of a file. */
export type Cast = Readonly<Record<'cy' | 'dan' | 'eve' | 'gil' | 'hal', Named & Someone>>;

export async function cast(): Promise<Cast> {
  const named = async (name: string) => {
    const one = await someone(name);
    return { ...one, handle: one.client.me };
  };
  const [cy, dan, eve, gil, hal] = await Promise.all(
    ['cy', 'dan', 'eve', 'gil', 'hal'].map((name) => named(name)),
  );
  if (!cy || !dan || !eve || !gil || !hal) throw new Error('nobody came');
  return { cy, dan, eve, gil, hal };
}

export interface Rooms {
  readonly lobby: string;
  readonly attic: string;
  readonly cellar: string;
}

/** What Ada has before her: rooms, people, and messages to do something to. Also her other device. */
export async function setUp(ada: Person, bob: Person, { cy, dan, eve, gil, hal }: Cast) {
  const mark = randomBytes(3).toString('hex');
  const rooms: Rooms = { lobby: `Lobby ${mark}`, attic: `Attic ${mark}`, cellar: `Cellar ${mark}` };
  const [hers, his] = await Promise.all([deviceOf(ada), deviceOf(bob)]);
  const room = (of: Someone, name: string, members: readonly Named[]) =>
    makes(
      of,
      name,
      members.map(({ handle }) => handle),
    );
  const [lobby] = await Promise.all([
    room(hers, rooms.lobby, [bob, cy, dan, gil, hal]),
    room(his, rooms.attic, [ada]),
  ]);
  await room(hers, rooms.cellar, [bob]);
  const to = { conversation: lobby };
  await does(hers, { kind: 'ban', to, user: hal.handle });
  await does(hers, { kind: 'block', user: hal.handle, blocked: true });
  await does(hers, { kind: 'send', to: { participants: [ada.handle, eve.handle] }, text: 'Hello Eve' });
  for (const text of ['edit me', 'delete me']) await does(hers, { kind: 'send', to, text });
  for (const text of ['answer me', 'talk about me', 'react to me'])
    await does(his, { kind: 'send', to, text });
  await does(his, { kind: 'send', to: { participants: [ada.handle, bob.handle] }, text: 'Read me' });
  const { items } = await hers.history.messages(lobby, {}, { minPosition: his.client.connection.resume });
  const seqOf = (text: string) => items.find((item) => item.text === text)?.seq ?? 0;
  await does(hers, { kind: 'pin', to, message: seqOf('answer me'), op: 'add' });
  await does(hers, { kind: 'react', to, message: seqOf('react to me'), emoji: '👍', op: 'add' });
  return { rooms, device: hers, close: () => [hers, his].map(({ client }) => client.close()) };
}

/** What a session is told of the log from now on, in a few words each. */
export function hearing({ client }: Someone): string[] {
  const heard: string[] = [];
  client.onFrame((frame) => {
    const words = wordsOf(frame);
    if (words !== null) heard.push(words);
  });
  return heard;
}

function wordsOf(frame: ServerFrame): string | null {
  switch (frame.type) {
    case 'message':
    case 'edited':
      return `${frame.type} ${frame.text}`;
    case 'reaction':
      return `reaction ${frame.op} ${frame.emoji}`;
    case 'pin':
      return `pin ${frame.op}`;
    case 'member':
      return `member ${frame.change} ${frame.user}`;
    case 'room':
      return `room ${frame.name}${frame.archived ? ' archived' : ''}`;
    case 'preferences':
      return ['preferences', frame.muted && 'muted', frame.starred && 'starred'].filter(Boolean).join(' ');
    case 'block':
      return `block ${frame.user} ${frame.blocked}`;
    case 'profile':
      return `profile ${frame.displayName}`;
    case 'deleted':
    case 'marker':
      return frame.type;
    default:
      return null;
  }
}

async function does({ client }: Someone, command: Command): Promise<void> {
  client.do(command);
  await eventually(() => client.outbox.queue.entries, []);
}

async function makes(one: Someone, name: string, members: readonly string[]): Promise<string> {
  await does(one, { kind: 'create', name, visibility: 'private', members: [...members] });
  return one.client.store.state.entered?.conversation ?? '';
}
