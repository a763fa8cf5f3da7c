import type { RefObject } from 'react';
import type { PinFrame, ReactionOp } from '../../net/frames.ts';
import type { AddOutcome } from '../../outbox/outbox.ts';
import type { Message } from '../../store/state.ts';

type PinOp = PinFrame['op'];

/** What not everybody may, or not everywhere. */
export interface Rights {
  pin: boolean;
  deleteOthers: boolean;
  /** Threads are one deep. */
  thread: boolean;
}

/** What a person can do to messages; the same object for as long as the conversation is open. */
export interface MessageDeeds {
  may: Rights;
  react(seq: number, emoji: string, op: ReactionOp): void;
  /** Begins to answer. */
  reply(seq: number): void;
  /** Begins to edit, or goes on. */
  edit(message: Pick<Message, 'seq' | 'text'>): void;
  /** Where what is written in its place is kept. */
  editOf(seq: number): string;
  /** In which that is written. */
  editField: RefObject<HTMLTextAreaElement | null>;
  save(seq: number, text: string): AddOutcome;
  closeEdit(seq: number): void;
  askToDelete(seq: number): void;
  /** Opens what was said about it, and what will be. */
  thread(seq: number): void;
  pin(seq: number, op: PinOp): void;
  showVersions(seq: number): void;
  copyLink(seq: number): void;
  /** Looks at it, where it was said. */
  goTo(seq: number): void;
}
