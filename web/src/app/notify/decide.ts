/** Whether a message makes itself heard on this device. */
import type { NotifySettings } from '../../device/notify.ts';
import type { Preferences } from '../../net/frames.ts';
import type { Message } from '../../store/state.ts';
import { isQuiet } from './quiet.ts';

export interface Occasion {
  message: Pick<Message, 'sender' | 'mentions' | 'mentionsRoom'>;
  conversation: { kind: string; preferences: Readonly<Preferences> };
  me: string;
  blocked: ReadonlySet<string>;
  settings: NotifySettings;
  now: number;
  /** It stands on the screen. */
  visible: boolean;
  /** This person is in Natter, if elsewhere in it: what is new shows there by itself. */
  focused: boolean;
}

export interface Loudness {
  popup: boolean;
  sound: boolean;
}

const SILENT: Loudness = { popup: false, sound: false };

export function shouldNotify(occasion: Occasion): Loudness {
  const { message, me, blocked, settings, now, visible, focused } = occasion;
  if (message.sender === me || blocked.has(message.sender) || visible) return SILENT;
  if (!isWanted(occasion) || isQuiet(settings.quiet, now)) return SILENT;
  return { popup: !focused, sound: settings.sound && settings.volume > 0 };
}

/** What the conversation's own preferences allow, the device may still not want. */
function isWanted({ message, conversation, me, settings: { level } }: Occasion): boolean {
  const { muted, hidden, notify } = conversation.preferences;
  if (level === 'off' || hidden || notify === 'nothing') return false;
  if (message.mentionsRoom || message.mentions.includes(me)) return !muted || notify === 'mentions';
  if (muted || notify === 'mentions') return false;
  return level === 'everything' || conversation.kind !== 'room';
}
