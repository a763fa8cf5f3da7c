import { useTold } from '../../hooks/client.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { ThreadIcon } from '../../kit/icons.tsx';
import { ago, fullTime } from '../../kit/time.ts';
import type { Replies } from '../../store/state.ts';

/** How much was said in a message's thread, and the way into it. */
export function RepliesLine({ replies, open }: { replies: Replies; open(): void }) {
  const { words, calendar } = useSpeech();
  const { message } = words;
  const { count, unread = 0, lastAt } = replies;
  const since = useTold((now) => ago(lastAt, now, calendar));
  return (
    <button
      type="button"
      className="replies"
      title={lastAt === '' ? undefined : fullTime(lastAt, calendar)}
      onClick={open}
    >
      <ThreadIcon />
      <span className="replies-count">{message.replies(count)}</span>
      {unread > 0 && <span className="replies-new">{message.newReplies(unread)}</span>}
      {lastAt !== '' && <span>{message.lastReply(since)}</span>}
    </button>
  );
}
