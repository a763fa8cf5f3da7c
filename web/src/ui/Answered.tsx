import type { ReplyItem } from '../net/frames.ts';

interface AnsweredProps {
  /** Null where nothing is known of it. */
  reply: ReplyItem | null;
  me: string;
  names: ReadonlyMap<string, string>;
}

/** The beginning of what a message answers, above the answer. */
export function Answered({ reply, me, names }: AnsweredProps) {
  if (reply === null) return <blockquote className="answered gone">An earlier message</blockquote>;
  const { sender, text, deleted } = reply;
  return (
    <blockquote className={deleted ? 'answered gone' : 'answered'}>
      <span className="answered-who">{sender === me ? 'You' : (names.get(sender) ?? sender)}</span>
      <span className="visually-hidden">: </span>
      <span className="answered-text" dir="auto">
        {deleted ? 'Message deleted' : text}
      </span>
    </blockquote>
  );
}
