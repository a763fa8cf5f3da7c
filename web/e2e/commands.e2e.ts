/** Every command of the table against a real Natter: what the others see of it, and what a refusal says. */
import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import type { Command } from '../src/outbox/commands/commands.ts';
import { directKey, roomKey } from '../src/store/state.ts';
import { type Someone, someone } from './stage/client.ts';
import { eventually } from './stage/eventually.ts';

const people: Someone[] = [];
const arrive = async (name: string, as?: Someone): Promise<Someone> => {
  const one = await someone(name, as);
  people.push(one);
  return one;
};
afterAll(() => {
  for (const { client } of people) client.close();
});

const room = ({ client }: Someone, id: string) => client.store.state.conversations.get(id);
const settled = ({ client }: Someone) => eventually(() => client.outbox.queue.entries, []);
/** Does it, and waits until it is in the log. */
async function does(one: Someone, command: Command): Promise<void> {
  expect(one.client.do(command)).toHaveProperty('id');
  await settled(one);
}
async function refusal(one: Someone, command: Command): Promise<string | undefined> {
  const outcome = one.client.do(command);
  const id = 'id' in outcome ? outcome.id : '';
  const entry = () => one.client.outbox.queue.entries.find((held) => held.id === id);
  await eventually(() => entry()?.status, 'failed');
  const code = entry()?.fault?.code;
  one.client.outbox.discard(id);
  return code;
}
const now = { minPosition: null };

async function roomOf(owner: Someone, members: Someone[], name = `Lobby ${randomBytes(3).toString('hex')}`) {
  const handles = members.map(({ client }) => client.me);
  await does(owner, { kind: 'create', name, visibility: 'private', topic: 'Hats', members: handles });
  const id = owner.client.store.state.entered?.conversation ?? '';
  for (const one of [owner, ...members]) {
    await eventually(() => room(one, id)?.room?.name, name);
    one.client.open(roomKey(id));
  }
  return { id, to: { conversation: id } };
}
/** Says it, and where it is in the log. */
async function says(one: Someone, id: string, text: string, of = {}): Promise<number> {
  one.client.send(roomKey(id), text, of);
  await settled(one);
  const found = await one.history.search(
    { q: text, conversation: id },
    {
      minPosition: one.client.connection.resume,
    },
  );
  return found.items[0]?.seq ?? 0;
}

describe('rooms', () => {
  it('cmd4_are_made_with_people_and_tell_who_is_not_in_them', async () => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    const nobody = `nobody-${randomBytes(3).toString('hex')}`;
    const members = [bob.client.me, nobody];
    await does(ada, { kind: 'create', name: 'Lobby', visibility: 'public', members });
    const { entered } = ada.client.store.state;
    expect(entered?.refused).toEqual([nobody]);
    const id = entered?.conversation ?? '';
    await eventually(() => room(bob, id)?.role, 'member');
    await eventually(() => room(ada, id)?.role, 'owner');
  });

  it('evt2_are_changed_and_archived_and_their_people_come_and_go', async () => {
    const [ada, bob, cy] = await Promise.all([arrive('ada'), arrive('bob'), arrive('cy')]);
    const { id, to } = await roomOf(ada, [bob]);
    expect(await refusal(bob, { kind: 'update', to, changes: { topic: 'Coats' } })).toBe('forbidden');
    await does(ada, { kind: 'update', to, changes: { topic: '', visibility: 'public' } });
    const facts = { topic: '', visibility: 'public', owners: [ada.client.me] };
    for (const one of [ada, bob]) {
      await eventually(() => room(one, id)?.room?.topic, '');
      expect(room(one, id)?.room).toMatchObject(facts);
    }

    await does(ada, { kind: 'role', to, user: bob.client.me, role: 'moderator' });
    await eventually(() => room(bob, id)?.role, 'moderator');
    await does(bob, { kind: 'add', to, user: cy.client.me });
    await eventually(() => room(cy, id)?.role, 'member');
    const members = await bob.history.members(id, { role: 'moderator' }, now);
    expect(members.items).toMatchObject([{ user: bob.client.me, role: 'moderator' }]);

    expect(await refusal(bob, { kind: 'remove', to, user: ada.client.me })).toBe('forbidden');
    await does(bob, { kind: 'ban', to, user: cy.client.me });
    await eventually(() => cy.client.store.state.gone.get(id)?.change, 'banned');
    const minPosition = bob.client.connection.resume;
    expect((await bob.history.bans(id, { minPosition })).items).toMatchObject([{ user: cy.client.me }]);
    expect(await refusal(cy, { kind: 'join', to, name: 'Lobby' })).toBe('forbidden');
    await does(bob, { kind: 'unban', to, user: cy.client.me });
    await does(cy, { kind: 'join', to, name: 'Lobby' });
    await does(ada, { kind: 'remove', to, user: cy.client.me });
    await eventually(() => cy.client.store.state.gone.get(id)?.change, 'removed');

    expect(await refusal(ada, { kind: 'leave', to, name: 'Lobby' })).toBe('forbidden');
    await does(ada, { kind: 'archive', to });
    await eventually(() => room(bob, id)?.room?.archived, true);
    expect(await refusal(bob, { kind: 'send', to, text: 'hello' })).toBe('archived');
    await does(ada, { kind: 'update', to, changes: { archived: false } });
    await eventually(() => room(bob, id)?.room?.archived, false);
  });
});

describe('messages', () => {
  it('cmd4_are_answered_in_threads_pinned_and_deleted_by_moderators', async () => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    const { id, to } = await roomOf(ada, [bob]);
    const first = await says(bob, id, 'harbour');
    const answer = await says(ada, id, 'lighthouse', { replyTo: first });
    const inThread = await says(ada, id, 'anchor', { thread: first });
    const minPosition = ada.client.connection.resume;
    const reading = { minPosition };
    const { items } = await ada.history.messages(id, {}, reading);
    expect(items.map(({ seq, replyTo, replies }) => [seq, replyTo, replies?.count])).toEqual([
      [first, null, 1],
      [answer, first, undefined],
    ]);
    const thread = await bob.history.messages(id, { thread: first }, reading);
    expect(thread.items).toMatchObject([{ seq: inThread, thread: first, text: 'anchor' }]);
    // Bob takes part in the thread of what he said, and did not read it yet.
    expect((await bob.history.threads(id, reading)).items).toMatchObject([
      { seq: first, replies: { count: 1, unread: 1 } },
    ]);
    bob.client.markThreadRead(id, first, inThread);
    await eventually(async () => (await bob.history.threads(id, now)).items[0]?.replies?.unread ?? 0, 0);

    expect(await refusal(bob, { kind: 'pin', to, message: first, op: 'add' })).toBe('forbidden');
    expect(await refusal(bob, { kind: 'delete', to, message: answer })).toBe('forbidden');
    await does(ada, { kind: 'pin', to, message: first, op: 'add' });
    const pins = await bob.history.pins(id, { minPosition: ada.client.connection.resume });
    expect(pins.items).toMatchObject([{ by: ada.client.me, message: { seq: first, pinned: true } }]);
    await does(ada, { kind: 'delete', to, message: first });
    const after = await bob.history.messages(
      id,
      { around: first },
      { minPosition: ada.client.connection.resume },
    );
    expect(after.items[0]).toMatchObject({ seq: first, deleted: true, text: '', pinned: false });
  });
});

describe('what is ones own', () => {
  it('evt1_is_the_same_on_every_device_and_a_name_and_a_status_are_seen', async () => {
    const [ada, bob] = await Promise.all([arrive('ada'), arrive('bob')]);
    const key = directKey([ada.client.me, bob.client.me]);
    ada.client.send(key, 'Hello');
    await settled(ada);
    await eventually(() => bob.client.store.state.direct.has(key), true);
    const id = bob.client.store.state.direct.get(key) ?? '';
    const second = await arrive('ada', ada);
    const preferences = { muted: true, starred: true, hidden: false, notify: 'mentions' } as const;
    await does(ada, { kind: 'prefer', to: { conversation: id }, preferences });
    for (const one of [ada, second]) await eventually(() => room(one, id)?.preferences, preferences);
    const row = await ada.history.conversation(id, { minPosition: ada.client.connection.resume });
    expect(row.preferences).toEqual(preferences);

    await does(ada, { kind: 'profile', displayName: 'Ada L.' });
    for (const one of [ada, second, bob])
      await eventually(() => one.client.store.state.names.get(ada.client.me), 'Ada L.');
    expect(ada.client.status.choose({ status: 'busy', text: 'writing' })).toBeNull();
    await eventually(() => bob.client.store.state.presence.get(ada.client.me), {
      ...{ status: 'busy', text: 'writing' },
    });
  });
});
