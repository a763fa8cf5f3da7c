import { useClient, useKnown } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { nameOf } from '../../kit/people.ts';
import type { ReplyItem } from '../../net/frames.ts';
import { plain } from './text/plain.ts';

/** The beginning of what a message answers, above the answer; null where nothing is known of it. */
export function Answered({ reply, goTo }: { reply: ReplyItem | null; goTo(seq: number): void }) {
  const { me } = useClient();
  const { common, message } = useWords();
  const names = useKnown((state) => state.names);
  if (reply === null) return <blockquote className="answered gone">{message.earlierMessage}</blockquote>;
  const { seq, sender, text, deleted } = reply;
  return (
    <blockquote className={deleted ? 'answered gone' : 'answered'}>
      <button type="button" className="answered-to" title={message.showAnswered} onClick={() => goTo(seq)}>
        <bdi className="answered-who">
          {sender === me ? message.you : nameOf(sender, names, common.people)}
        </bdi>
        <span className="visually-hidden">: </span>
        <span className="answered-text" dir="auto">
          {deleted ? message.deleted : plain(text)}
        </span>
      </button>
    </blockquote>
  );
}
