import { useClient, useKnown } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { oneLine } from '../../kit/bidi.ts';
import { titleOf } from '../../kit/people.ts';
import type { Listing } from '../../store/listings.ts';
import { conversationShown } from '../../store/shown.ts';
import { ListedMessage } from '../listed/ListedMessage.tsx';
import { ListingBody } from '../listed/ListingBody.tsx';
import { plainWhole } from '../message/text/plain.ts';
import { excerpt } from './excerpt.ts';

interface FoundProps {
  listing: Listing | undefined;
  /** Whether there is something to look for. */
  asking: boolean;
}

/** What was found, the newest first. */
export function Found({ listing, asking }: FoundProps) {
  const { search, common } = useWords();
  const question = listing?.question;
  if (listing === undefined || question?.list !== 'search') {
    return (
      <div className="side-pane-body">
        <p className="side-note" role="status" aria-label={search.found}>
          {asking ? common.searching : search.hint}
        </p>
      </div>
    );
  }
  const { items, next, reading } = listing;
  return (
    <div className="side-pane-body">
      {items.length === 0 && next !== null && reading.status === 'done' && (
        <p className="side-note">{search.noneSoFar}</p>
      )}
      <ListingBody
        listing={listing}
        name={search.found}
        empty={next === null ? search.none(question.words) : ''}
        more={search.further}
      >
        {items.map((item) => (
          <ListedMessage
            key={`${item.conversation} ${item.message.seq}`}
            item={item}
            where={question.everywhere ? <Where conversation={item.conversation} /> : undefined}
            text={excerpt(plainWhole(item.message.text), question.words).map((piece, index) =>
              // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of one text stay where they are
              piece.found ? <mark key={index}>{piece.text}</mark> : piece.text,
            )}
          />
        ))}
      </ListingBody>
    </div>
  );
}

function Where({ conversation: id }: { conversation: string }) {
  const { me } = useClient();
  const { common, search } = useWords();
  const names = useKnown((state) => state.names);
  const held = useKnown((state) => conversationShown(state, id));
  if (held === undefined) return search.elsewhere;
  if (held.room !== null) return oneLine(held.room.name);
  return titleOf(
    held.participants.filter((user) => user !== me),
    names,
    common.people,
  );
}
