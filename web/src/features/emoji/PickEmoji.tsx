/** The picker, and how it comes: with its first opening, or a moment before, when somebody reaches for its button. */
import { createPortal } from 'react-dom';
import type { Language } from '../../i18n/language.ts';
import { later } from '../../kit/later.tsx';
import { emojiBook } from './data.ts';

const EmojiPicker = later<PickEmojiProps>(async () => (await import('./EmojiPicker.tsx')).EmojiPicker);

export function fetchPicker(language: Language): void {
  EmojiPicker.fetch();
  emojiBook(language).catch(() => {});
}

export interface PickEmojiProps {
  /** Beside which it opens. */
  anchor: HTMLElement | null;
  pick(emoji: string): void;
  close(): void;
}

/** At the end of the page, for it belongs to no form and to no conversation. */
export function PickEmoji(props: PickEmojiProps) {
  return createPortal(<EmojiPicker {...props} />, document.body);
}
