import { useClient, useKnown } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { CloseIcon, ReplyIcon } from '../../kit/icons.tsx';
import { nameOf } from '../../kit/people.ts';
import type { ReplyItem } from '../../net/frames.ts';
import { messageShown } from '../../store/shown.ts';
import { plain } from '../message/text/plain.ts';

interface ReplyBarProps {
  id: string;
  reply: ReplyItem;
  /** The conversation where it was said. */
  conversation: string | undefined;
  cancel(): void;
}

/** Over the field: what is being answered, as it reads now. */
export function ReplyBar({ id, reply, conversation, cancel }: ReplyBarProps) {
  const { me } = useClient();
  const { common, composer } = useWords();
  const names = useKnown((state) => state.names);
  const now = useKnown((state) =>
    conversation === undefined ? undefined : messageShown(state, conversation, reply.seq),
  );
  const { sender, text, deleted } = now ?? reply;
  const name = sender === me ? composer.yourself : nameOf(sender, names, common.people);
  return (
    <div className="reply-bar">
      <ReplyIcon />
      <p id={id} className="reply-what">
        <span className="reply-who">{composer.replyingTo(name)}</span>{' '}
        <span dir="auto">{deleted ? composer.replyGone : plain(text)}</span>
      </p>
      <button
        type="button"
        className="icon-button small"
        aria-label={composer.noReply}
        title={composer.noReply}
        onClick={cancel}
      >
        <CloseIcon />
      </button>
    </div>
  );
}
