import { useRef, useState } from 'react';
import { useClient } from '../../hooks/client.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { draftKey } from '../../outbox/drafts.ts';
import { normalised, scalarCount, textFault } from '../../outbox/text.ts';
import { type EmojiBook, emojiBook } from '../emoji/data.ts';
import { mayHaveShortcodes, withEmoji } from '../emoji/shortcodes.ts';
import { faultText } from '../outbox/faults.ts';

/** A shortcode that is sent before the emoji are here waits for them no longer than this. */
const EMOJI_WITHIN_MS = 2_000;

interface Sending {
  send(): void;
  /** Why it could not even wait. */
  problem: string | null;
  forget(): void;
}

/** Says what stands in the draft, with an emoji in the place of each shortcode. */
export function useSend(
  conversationKey: string,
  thread: number | undefined,
  book: EmojiBook | null,
  sent: () => void,
): Sending {
  const client = useClient();
  const { drafts } = client;
  const { language, words } = useSpeech();
  const [problem, setProblem] = useState<string | null>(null);
  const waiting = useRef(false);
  const draft = draftKey(conversationKey, thread);

  const sendNow = (emoji: EmojiBook | null) => {
    const { text: written = '', reply: answered } = drafts.get(draft) ?? {};
    const said = emoji === null ? written : withEmoji(written, emoji);
    const fault = textFault(normalised(said));
    if (fault === 'empty') return;
    const outcome =
      fault === null
        ? client.send(conversationKey, said, {
            ...(answered != null && { replyTo: answered.seq }),
            ...(thread !== undefined && { thread }),
          })
        : { fault };
    if ('fault' in outcome) {
      setProblem(faultText(outcome.fault, scalarCount(said), words.common));
      return;
    }
    drafts.drop(draft);
    setProblem(null);
    sent();
  };
  const send = () => {
    if (book !== null || !mayHaveShortcodes(drafts.get(draft)?.text ?? '')) {
      sendNow(book);
      return;
    }
    if (waiting.current) return;
    waiting.current = true;
    const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), EMOJI_WITHIN_MS));
    void Promise.race([emojiBook(language).catch(() => null), late]).then((read) => {
      waiting.current = false;
      sendNow(read);
    });
  };
  return { send, problem, forget: () => setProblem(null) };
}
