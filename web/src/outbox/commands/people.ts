/**
 * How one is shown, whom one has blocked, and how one wants conversations to be treated. Nothing but
 * commands is exported here.
 */
import { MAX_DISPLAY_NAME_CHARS } from '../../net/wire/generated.ts';
import { fields, flag, knownWord, text } from '../../net/wire/read.ts';
import { lineFault } from '../text.ts';
import { command, conversation } from './command.ts';

export const block = command(
  'person',
  { user: text, blocked: flag },
  {
    frame: ({ user, blocked }, ref, id) => ({ type: blocked ? 'block' : 'unblock', ref, id, user }),
    done: ({ user, blocked }, { seq, position }) =>
      position === undefined ? null : { type: 'blocked', block: { seq, user, blocked } },
  },
);

/** Empty: by the handle. */
export const profile = command(
  'person',
  { displayName: text },
  {
    prepared(command) {
      const { displayName } = command;
      const fault = displayName === '' ? null : lineFault(displayName, MAX_DISPLAY_NAME_CHARS);
      return fault === null ? command : { fault };
    },
    frame: ({ displayName }, ref, id) => ({ type: 'profile', ref, id, display_name: displayName }),
    done: ({ displayName }, { me }) => ({
      ...{ type: 'met', people: [{ user: me, displayName: displayName === '' ? me : displayName }] },
    }),
  },
);

/** All four at once: what is not said is as it is at first. */
const preferences = fields({
  ...{ muted: flag, starred: flag, hidden: flag, notify: knownWord(['all', 'mentions', 'nothing']) },
});

export const prefer = command(
  'conversation',
  { to: conversation, preferences },
  {
    frame: ({ to, preferences }, ref, id) => ({ type: 'prefer', ref, id, ...to, ...preferences }),
    done: ({ to, preferences }, { id, seq, position, now }) =>
      position === undefined
        ? null
        : { type: 'frame', frame: { type: 'preferences', seq, position, ...to, id, ...preferences }, now },
  },
);
