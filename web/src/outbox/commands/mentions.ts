/** Whom a message mentions that this person has just sent: its `ok` does not say it. */
import { piecesOf } from '../../net/names.ts';
import { may } from '../../net/rights.ts';
import { MAX_MENTIONS } from '../../net/wire/generated.ts';
import type { Message, State } from '../../store/state.ts';

type Mentioned = Pick<Message, 'mentions' | 'mentionsRoom'>;

const EVERYBODY = '@room';

/**
 * The server's own rule. Who is in a room this page does not know as a whole: whom it has met is taken for somebody who is,
 * until the message is read again.
 */
export function mentionedIn(
  text: string,
  conversation: string,
  participants: readonly string[] | null,
  { conversations, names, me }: Pick<State, 'conversations' | 'names' | 'me'>,
): Mentioned {
  const held = conversations.get(conversation);
  const people = participants ?? (held?.kind === 'room' ? null : (held?.participants ?? []));
  const named = piecesOf(text).filter((piece) => piece.kind === 'mention');
  const handles = [...new Set(named.filter(({ text }) => text !== EVERYBODY).map(({ handle }) => handle))];
  return {
    mentions: handles
      .slice(0, MAX_MENTIONS)
      .filter((user) => user !== me && (people === null ? names.has(user) : people.includes(user))),
    mentionsRoom:
      held?.kind === 'room' && may(held.role, 'mentionRoom') && named.some(({ text }) => text === EVERYBODY),
  };
}
