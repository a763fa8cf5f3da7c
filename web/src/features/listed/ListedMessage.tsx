/** One message in a list: who said it and when, what it says, and the way to where it was said. */
import { type ReactNode, useState } from 'react';
import { useClient, useKnown } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { nameOf, toneOf } from '../../kit/people.ts';
import type { Listed } from '../../store/listings.ts';
import { plain } from '../message/text/plain.ts';
import { When } from '../message/When.tsx';
import { usePlace } from './usePlace.ts';

interface ListedMessageProps {
  item: Listed;
  /** What it says; a line of plain words where nothing is given. */
  text?: ReactNode;
  /** The conversation in which it was said, where that is not the open one. */
  where?: ReactNode;
  /** Where it leads, where that is not to the message. */
  href?: string;
  /** What is said of it, below. */
  children?: ReactNode;
}

export function ListedMessage({ item, text, where, href, children }: ListedMessageProps) {
  const { me } = useClient();
  const { common, message: said, listed } = useWords();
  const names = useKnown((state) => state.names);
  const blocked = useKnown((state) => state.blocked);
  const place = usePlace(item);
  const [unfolded, setUnfolded] = useState(false);
  const { message, thread } = item;
  const { sender, at, deleted, reply } = message;
  const author = nameOf(sender, names, common.people);

  if (blocked.has(sender) && sender !== me && !unfolded) {
    return (
      <li className="listed side-note">
        {said.foldedOf(author)}{' '}
        <button type="button" className="link" onClick={() => setUnfolded(true)}>
          {said.show}
        </button>
      </li>
    );
  }
  return (
    <li className="listed" data-seq={message.seq}>
      <a className="listed-link" href={href ?? place}>
        <span className="listed-head">
          <bdi className={`author ink-${toneOf(sender)}`}>{author}</bdi>
          <When at={at} />
        </span>
        {(where !== undefined || thread !== null) && (
          <span className="listed-where">
            {where !== undefined && <bdi>{where}</bdi>}
            {where !== undefined && thread !== null && ' · '}
            {thread !== null && listed.inThread}
          </span>
        )}
        {reply !== null && (
          <span className="listed-reply" dir="auto">
            {listed.answers(reply.deleted ? said.deleted : plain(reply.text))}
          </span>
        )}
        <span className={deleted ? 'listed-text gone' : 'listed-text'} dir="auto">
          {deleted ? said.deleted : (text ?? plain(message.text))}
        </span>
      </a>
      {children}
    </li>
  );
}
