/** What every command is made of: one object per kind, from which the types of what waits are derived. */
import type { ClientFrame, OkFrame } from '../../net/frames.ts';
import { fields, type Reader, type ReadFields, text } from '../../net/wire/read.ts';
import type { Change } from '../../store/fold.ts';
import type { State } from '../../store/state.ts';
import type { TextFault } from '../text.ts';

/** What a command is about: something that is said, a message, a room and its people, a conversation as one has it, a person. */
export type Topic = 'said' | 'message' | 'room' | 'membership' | 'conversation' | 'person';

/** The `ok` of a command that is in the log. */
export interface Done {
  /** The client id of the command. */
  id: string;
  seq: number;
  /** Absent where it has no place in the session's order: the event itself has come or comes (EVT2, CMD2). */
  position: string | undefined;
  at: string;
  ok: OkFrame;
  me: string;
  state: State;
  now: number;
}

export interface Spec<T extends Topic, C> {
  readonly topic: T;
  /** Reads what another version of this page, or a person with the developer tools, left on the disk. */
  readonly stored: Reader<unknown, C>;
  /** As it is kept and sent, or why it can't be. */
  prepared?(command: C): C | { fault: TextFault };
  frame(command: C, ref: number, id: string): ClientFrame;
  /** What is known once it is in the log; null where that comes by another way. */
  done(command: C, done: Done): Change | null;
}

export function command<T extends Topic, S extends object, Known extends object = object>(
  topic: T,
  shape: S,
  rest: Pick<Spec<T, ReadFields<S> & Known>, 'prepared' | 'frame' | 'done'>,
): Spec<T, ReadFields<S> & Known> {
  return { topic, stored: fields(shape) as Reader<unknown, ReadFields<S> & Known>, ...rest };
}

/** A conversation that is there. */
export const conversation = fields({ conversation: text });
