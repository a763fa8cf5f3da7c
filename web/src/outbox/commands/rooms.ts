/** Rooms: made, joined, changed, and who is in them. Nothing but commands is exported here. */
import { MAX_ROOM_NAME_CHARS, MAX_ROOM_TOPIC_CHARS, type RoomMember } from '../../net/wire/generated.ts';
import { fields, flag, knownWord, maybe, text, texts } from '../../net/wire/read.ts';
import type { Change } from '../../store/fold.ts';
import { factsAfter, type RoomChanges } from '../../store/rooms.ts';
import { lineFault, type TextFault, topicFault } from '../text.ts';
import { command, conversation, type Done } from './command.ts';

const visibility = knownWord(['public', 'private']);

export const create = command(
  'room',
  { name: text, visibility, topic: maybe(text), members: maybe(texts) },
  {
    prepared: (command) => describable(command) ?? command,
    frame: ({ name, visibility, topic, members }, ref, id) => ({
      ...{ type: 'room.create', ref, id, name, visibility },
      ...(topic !== undefined && topic !== '' && { topic }),
      ...(members !== undefined && { members }),
    }),
    done: (_, done) => (done.ok.conversation === undefined ? null : entered(done.ok.conversation, done)),
  },
);

/** The name is for whoever reads what became of it. */
const named = { to: conversation, name: text };

export const join = command('room', named, {
  frame: ({ to }, ref, id) => ({ type: 'room.join', ref, id, ...to }),
  done: ({ to }, done) => entered(to.conversation, done),
});

export const leave = command('room', named, {
  frame: ({ to }, ref, id) => ({ type: 'room.leave', ref, id, ...to }),
  done: ({ to }, { position }) => (position === undefined ? null : { type: 'left', ...to }),
});

/** What is to change of it; an empty topic is none, and `archived: false` takes it back from the archive. */
const changed = fields({
  ...{ name: maybe(text), topic: maybe(text), visibility: maybe(visibility), archived: maybe(flag) },
});

export const update = command(
  'room',
  { to: conversation, changes: changed },
  {
    prepared: (command) => describable(command.changes) ?? command,
    frame: ({ to, changes }, ref, id) => {
      const { name = null, topic = null, visibility = null, archived = null } = changes;
      return { type: 'room.update', ref, id, ...to, name, topic, visibility, archived };
    },
    done: ({ to, changes }, done) => roomIsNow(to.conversation, changes, done),
  },
);

export const archive = command(
  'room',
  { to: conversation },
  {
    frame: ({ to }, ref, id) => ({ type: 'room.archive', ref, id, ...to }),
    done: ({ to }, done) => roomIsNow(to.conversation, { archived: true }, done),
  },
);

export const add = membership('add', 'joined');
export const remove = membership('remove', 'removed');
export const ban = membership('ban', 'banned');
export const unban = membership('unban', 'unbanned');

export const role = command(
  'membership',
  { to: conversation, user: text, role: knownWord(['member', 'moderator', 'owner']) },
  {
    frame: ({ to, user, role }, ref, id) => ({ type: 'room.role', ref, id, ...to, user, role }),
    done: ({ to, user, role }, done) => memberIsNow(to.conversation, user, 'role', role, done),
  },
);

function membership(name: 'add' | 'remove' | 'ban' | 'unban', change: string) {
  return command(
    'membership',
    { to: conversation, user: text },
    {
      frame: ({ to, user }, ref, id): { type: `room.${typeof name}` } & RoomMember => ({
        ...{ type: `room.${name}`, ref, id, ...to, user },
      }),
      done: ({ to, user }, done) =>
        memberIsNow(to.conversation, user, change, name === 'add' ? 'member' : undefined, done),
    },
  );
}

function entered(conversation: string, { id, position, ok }: Done): Change {
  return { type: 'entered', conversation, id, position: position ?? null, refused: ok.refused ?? [] };
}

/** The event that the other sessions get in place of this answer (EVT2). */
function roomIsNow(conversation: string, changes: RoomChanges, done: Done): Change | null {
  const { id, seq, position, at, me: by, state, now } = done;
  if (position === undefined) return null;
  const room = state.conversations.get(conversation)?.room ?? null;
  // The page that is on its way may be older.
  if (room === null) return { type: 'told', word: { seq, conversation, changes } };
  const facts = factsAfter(room, changes);
  return { type: 'frame', frame: { type: 'room', seq, position, conversation, at, by, id, ...facts }, now };
}

function memberIsNow(
  conversation: string,
  user: string,
  change: string,
  role: 'member' | 'moderator' | 'owner' | undefined,
  { id, seq, position, at, me: by, now }: Done,
): Change | null {
  if (position === undefined) return null;
  return {
    type: 'frame',
    frame: { type: 'member', seq, position, conversation, at, user, change, role, by, id },
    now,
  };
}

function describable({ name, topic }: { name?: string | undefined; topic?: string | undefined }): {
  fault: TextFault;
} | null {
  const fault =
    (name === undefined ? null : lineFault(name, MAX_ROOM_NAME_CHARS)) ??
    (topic === undefined || topic === '' ? null : topicFault(topic, MAX_ROOM_TOPIC_CHARS));
  return fault === null ? null : { fault };
}
