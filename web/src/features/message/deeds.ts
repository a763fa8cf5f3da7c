import type { PinFrame, ReactionOp } from '../../net/frames.ts';
import type { AddOutcome } from '../../outbox/outbox.ts';

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
  /** Begins to edit. */
  edit(seq: number): void;
  save(seq: number, text: string): AddOutcome;
  closeEdit(): void;
  askToDelete(seq: number): void;
  /** Opens what was said about it, and what will be. */
  thread(seq: number): void;
  pin(seq: number, op: PinOp): void;
  showVersions(seq: number): void;
  copyLink(seq: number): void;
  /** Looks at it, where it was said. */
  goTo(seq: number): void;
}
