/** What is said, and what is done to it. Nothing but commands is exported here: the table takes all of them. */
import type { To } from '../../net/frames.ts';
import {
  fields,
  knownWord,
  maybe,
  type Reader,
  type ReadFields,
  record,
  text,
  texts,
  whole,
} from '../../net/wire/read.ts';
import { type MessageChange, said } from '../../store/changes.ts';
import { normalised, type TextFault, textFault } from '../text.ts';
import { command, conversation, type Spec } from './command.ts';
import { mentionedIn } from './mentions.ts';

const participants = fields({ participants: texts });
const to: Reader<unknown, To> = (value, what) =>
  'participants' in record(value, what) ? participants(value, what) : conversation(value, what);
const op = knownWord(['add', 'remove']);
/** A message that is in the log. */
const message = { to: conversation, message: whole };
type OfMessage = ReadFields<typeof message>;

export const send = command(
  'said',
  { to, text, replyTo: maybe(whole), thread: maybe(whole) },
  {
    prepared: withText,
    frame: ({ to, text, replyTo, thread }, ref, id) => ({
      ...{ type: 'send', ref, id, to, text },
      ...(replyTo !== undefined && { reply_to: replyTo }),
      ...(thread !== undefined && { thread }),
    }),
    done({ to, text, replyTo = null, thread = null }, { id, seq, at, me, ok, position, state }) {
      const { conversation } = ok;
      if (conversation === undefined) return null;
      const participants = 'participants' in to ? to.participants : null;
      const mentioned = mentionedIn(text, conversation, participants, state);
      const message = said({ seq, sender: me, id, text, at, replyTo, ...mentioned });
      return { type: 'sent', conversation, participants, thread, message, live: position !== undefined };
    },
  },
);

export const edit = toMessage(
  { ...message, text },
  {
    prepared: withText,
    frame: ({ to, message, text }, ref, id) => ({ type: 'edit', ref, id, ...to, message, text }),
    change: ({ text }, by, at) => ({ type: 'edited', by, text, at }),
  },
);

/** Of one's own, or as a moderator of the room. */
const remove = toMessage(message, {
  frame: ({ to, message }, ref, id) => ({ type: 'delete', ref, id, ...to, message }),
  change: () => ({ type: 'deleted' }),
});

export { remove as delete };

export const react = toMessage(
  { ...message, emoji: text, op },
  {
    frame: ({ to, message, emoji, op }, ref, id) => ({ type: 'react', ref, id, ...to, message, emoji, op }),
    change: ({ emoji, op }, user) => ({ type: 'reaction', user, emoji, op }),
  },
);

export const pin = toMessage(
  { ...message, op },
  {
    frame: ({ to, message, op }, ref, id) => ({ type: 'pin', ref, id, ...to, message, op }),
    change: ({ op }) => ({ type: 'pin', op }),
  },
);

/** What changes a message, while it waits and for good. */
function toMessage<S extends typeof message>(
  shape: S,
  rest: Pick<Spec<'message', ReadFields<S> & OfMessage>, 'prepared' | 'frame'> & {
    change(command: ReadFields<S> & OfMessage, me: string, at: string): MessageChange;
  },
) {
  const spec = command<'message', S, OfMessage>('message', shape, {
    ...rest,
    done(command, { seq, position, me, at }) {
      if (position === undefined) return null;
      const { to, message } = command;
      const change = rest.change(command, me, at);
      return { type: 'changed', recent: { seq, conversation: to.conversation, message, change } };
    },
  });
  return { ...spec, change: rest.change };
}

function withText<C extends { text: string }>(command: C): C | { fault: TextFault } {
  const text = normalised(command.text);
  const fault = textFault(text);
  return fault === null ? { ...command, text } : { fault };
}
