/** Every durable command that this page knows, by kind. A new one is a line here, and its words where `refused` are. */
import type { ClientFrame } from '../../net/frames.ts';
import { asRecord, attempt, type Reader } from '../../net/wire/read.ts';
import type { MessageChange } from '../../store/changes.ts';
import type { Change } from '../../store/fold.ts';
import type { TextFault } from '../text.ts';
import type { Done, Spec, Topic } from './command.ts';
import * as messages from './messages.ts';
import * as people from './people.ts';
import * as rooms from './rooms.ts';

const COMMANDS = { ...messages, ...people, ...rooms };

type Commands = typeof COMMANDS;
export type Kind = keyof Commands;
type Of<K extends Kind> = { kind: K } & ReturnType<Commands[K]['stored']>;

/** What a person did, as it goes into the log. */
export type Command = { [K in Kind]: Of<K> }[Kind];
export type CommandOf<T extends Topic> = Extract<Command, { kind: KindOf<T> }>;
/** The kinds that are about one of these topics. */
export type KindOf<T extends Topic> = {
  [K in Kind]: Commands[K]['topic'] extends T ? K : never;
}[Kind];

/** A command as it is kept and sent, or why it can't be. */
export function prepared(command: Command): Command | { fault: TextFault } {
  return specOf(command).prepared?.(command) ?? command;
}

/** What was stored; null for what is no command of this page's. */
export function commandIn(value: unknown): Command | null {
  const kind = asRecord(value)?.kind;
  if (typeof kind !== 'string' || !isKind(kind)) return null;
  const stored: Reader<unknown, object> = COMMANDS[kind].stored;
  const read = attempt(stored, value);
  return read === null ? null : ({ kind, ...read } as Command);
}

export function frameOf(command: Command, ref: number, id: string): ClientFrame {
  return specOf(command).frame(command, ref, id);
}

/** What is known once it is in the log; null where that comes by another way. */
export function changeOf(command: Command, done: Done): Change | null {
  return specOf(command).done(command, done);
}

/** What becomes of the message, while this waits and for good. */
export function messageChangeOf(command: CommandOf<'message'>, me: string, at: string): MessageChange {
  return (COMMANDS[command.kind] as Changing).change(command, me, at);
}

export function isAbout<T extends Topic, E extends { kind: Kind }>(
  entry: E,
  ...topics: readonly T[]
): entry is E & { kind: KindOf<T> } {
  return topics.some((topic) => topic === COMMANDS[entry.kind].topic);
}

interface Changing {
  change(command: CommandOf<'message'>, me: string, at: string): MessageChange;
}

/** Which one belongs to which kind, the table says. */
function specOf({ kind }: Command): Spec<Topic, Command> {
  return COMMANDS[kind] as unknown as Spec<Topic, Command>;
}

function isKind(kind: string): kind is Kind {
  return Object.hasOwn(COMMANDS, kind);
}
