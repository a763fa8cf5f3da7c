/**
 * Says outside of the page what was said in Natter. What comes together is told together: each conversation has one
 * popup at most, which a later message takes over, and many conversations, or all that was missed, have one for all.
 */
import type { NotifySettings } from '../../device/notify.ts';
import type { Environment } from '../../net/environment.ts';
import type { MessageFrame, ServerFrame } from '../../net/frames.ts';
import { type Conversation, isExplained, keyOf, LIST_READING, type State } from '../../store/state.ts';
import type { InFront } from '../../sync/attention.ts';
import { type Loudness, shouldNotify } from './decide.ts';
import type { Popup, Popups } from './popups.ts';

/** What arrives within this time is told together. */
const GATHER_MS = 100;
/** After something was told, the next comes this much later at the earliest. */
const PACE_MS = 3_000;
/** A conversation of which nothing is known by then is told of no more. */
const EXPLAINED_WITHIN_MS = 30_000;
/** More conversations than this at once are told in one sentence. */
const MAX_AT_ONCE = 3;
/** More messages than this do not wait to be told of: the oldest are only unread. */
const MAX_WAITING = 500;
const SUMMARY = 'natter';

export interface HeraldSurroundings {
  environment: Pick<Environment, 'now' | 'after'>;
  state(): State;
  settings(): NotifySettings;
  /** Whether what was missed is still coming. */
  catchingUp(): boolean;
  attention: { readonly speaks: boolean; look(): Promise<InFront> };
  popups: Popups;
  playSound(volume: number): void;
  /** Puts it into words. */
  tell(conversation: Conversation, message: MessageFrame): Pick<Popup, 'title' | 'body' | 'hash'>;
  summarise(messages: number, conversations: number): Pick<Popup, 'title' | 'body' | 'hash'>;
}

interface Heard {
  message: MessageFrame;
  /** When it was heard. */
  at: number;
}

interface Loud extends Loudness {
  message: MessageFrame;
  conversation: Conversation;
}

export class Herald {
  readonly #around: HeraldSurroundings;
  #waiting: Heard[] = [];
  #missed = false;
  #closed = false;
  #nextAt = 0;
  #cancelTimer: (() => void) | null = null;
  /** What can be seen outside of the page now, by tag. */
  readonly #shown = new Map<string, MessageFrame>();

  constructor(around: HeraldSurroundings) {
    this.#around = around;
  }

  hear(frame: ServerFrame): void {
    switch (frame.type) {
      case 'message':
        if (frame.sender === this.#around.state().me) return;
        this.#wait({ message: frame, at: this.#around.environment.now() });
        this.#missed ||= this.#around.catchingUp();
        this.#tellSoon();
        break;
      case 'caught_up':
        this.#tellSoon();
        break;
      case 'reset':
        // What these were about is read anew.
        this.#waiting = [];
        break;
      case 'deleted':
        this.#forget(({ conversation, seq }) => conversation === frame.conversation && seq === frame.message);
        break;
      case 'marker':
        if (frame.user !== this.#around.state().me || frame.thread === null) break;
        this.#forget((of) => of.thread === frame.thread && of.seq <= frame.read);
    }
  }

  /** Takes back what is read by now. */
  stateChanged(): void {
    if (this.#shown.size > 0) this.#forgetShown((message) => this.#isRead(message));
  }

  /** These stand on the screen now, or, with none of them, Natter itself does. */
  seen(places: readonly string[]): void {
    this.#around.popups.close(SUMMARY);
    this.#forgetShown((message) => places.includes(this.#placeOf(message)));
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
    for (const tag of this.#shown.keys()) this.#around.popups.close(tag);
  }

  #wait(heard: Heard): void {
    this.#waiting.push(heard);
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
  }

  #tellSoon(): void {
    if (this.#cancelTimer !== null || this.#around.catchingUp() || this.#waiting.length === 0) return;
    const { environment } = this.#around;
    // A clock may be put back meanwhile.
    const ms = Math.min(PACE_MS, Math.max(GATHER_MS, this.#nextAt - environment.now()));
    this.#cancelTimer = environment.after(ms, () => void this.#tell());
  }

  async #tell(): Promise<void> {
    const { attention, environment, settings } = this.#around;
    const inFront = await attention.look();
    this.#cancelTimer = null;
    // A cut came in between: what it cost is told with the rest.
    if (this.#closed || this.#around.catchingUp()) return;
    if (!this.#isReady()) {
      this.#nextAt = environment.now() + PACE_MS;
      this.#tellSoon();
      return;
    }
    const [heard, missed, now] = [this.#waiting, this.#missed, environment.now()];
    this.#waiting = heard.filter((each) => !this.#isExplained(each) && now - each.at < EXPLAINED_WITHIN_MS);
    this.#missed &&= this.#waiting.length > 0;
    const loud = attention.speaks ? heard.flatMap((each) => this.#loud(each, inFront)) : [];
    if (loud.length > 0 || this.#waiting.length > 0) this.#nextAt = now + PACE_MS;
    this.#tellSoon();
    if (loud.length === 0) return;
    this.#show(
      loud.filter(({ popup }) => popup),
      missed,
    );
    if (loud.some(({ sound }) => sound)) this.#around.playSound(settings().volume);
  }

  #loud({ message, at: now }: Heard, { places, focused }: InFront): Loud[] {
    const { me, blocked, conversations } = this.#around.state();
    const conversation = conversations.get(message.conversation);
    if (conversation === undefined || !isExplained(conversation) || this.#isRead(message)) return [];
    const visible = places.has(this.#placeOf(message));
    const settings = this.#around.settings();
    const how = shouldNotify({ message, conversation, me, blocked, settings, now, visible, focused });
    return how.popup || how.sound ? [{ ...how, message, conversation }] : [];
  }

  #show(loud: readonly Loud[], missed: boolean): void {
    const { popups, tell, summarise } = this.#around;
    const newest = new Map(loud.map((each) => [each.conversation.id, each]));
    if (newest.size > (missed ? 1 : MAX_AT_ONCE)) {
      popups.show({ tag: SUMMARY, ...summarise(loud.length, newest.size) });
      return;
    }
    for (const [tag, { conversation, message }] of newest) {
      popups.show({ tag, ...tell(conversation, message) });
      this.#shown.set(tag, message);
    }
  }

  /** Only the list, to its end, tells what is muted, and only history who is blocked. */
  #isReady(): boolean {
    const { list, listNext, readings, blocksRead } = this.#around.state();
    const whole = listNext === null || readings.get(LIST_READING)?.status === 'failed';
    return list.status === 'done' && whole && blocksRead;
  }

  #isExplained({ message }: Heard): boolean {
    const held = this.#around.state().conversations.get(message.conversation);
    return held !== undefined && isExplained(held);
  }

  #isRead({ conversation, seq, thread }: MessageFrame): boolean {
    const { me, conversations } = this.#around.state();
    return thread === null && (conversations.get(conversation)?.read.get(me) ?? 0) >= seq;
  }

  #placeOf({ conversation, thread }: MessageFrame): string {
    const held = this.#around.state().conversations.get(conversation);
    return held === undefined ? '' : placeOf(keyOf(held), thread);
  }

  #forget(which: (message: MessageFrame) => boolean): void {
    this.#waiting = this.#waiting.filter(({ message }) => !which(message));
    this.#forgetShown(which);
  }

  #forgetShown(which: (message: MessageFrame) => boolean): void {
    for (const [tag, message] of this.#shown) {
      if (!which(message)) continue;
      this.#shown.delete(tag);
      this.#around.popups.close(tag);
    }
  }
}

/** Where a message can be read: in its conversation, or in its thread. */
export function placeOf(key: string, thread: number | null): string {
  return thread === null ? key : `${key}/${thread}`;
}
