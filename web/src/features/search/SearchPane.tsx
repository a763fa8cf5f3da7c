/** Looks for what was said: in this conversation, or in all of them. */
import { useEffect, useId, useRef, useState } from 'react';
import { SidePane } from '../../app/SidePane.tsx';
import { useClient, useKnown } from '../../hooks/client.ts';
import { closePane } from '../../hooks/pane.ts';
import { routeOf } from '../../hooks/route.ts';
import { useWords } from '../../i18n/speech.tsx';
import { SearchIcon } from '../../kit/icons.tsx';
import { idShown } from '../../store/shown.ts';
import { Found } from './Found.tsx';
import { type Asked, askedIn, isKept, isSame, MAX_CHARACTERS, NOTHING, questionOf } from './question.ts';
import './search.css';

/** What is typed within it is asked once. */
const SETTLE_MS = 300;

export function SearchPane({ conversationKey }: { conversationKey: string }) {
  const { search } = useWords();
  const client = useClient();
  const id = useKnown((state) => idShown(state, conversationKey));
  // Whoever follows what was found comes back to it; else it is let go.
  useEffect(
    () => () => {
      if (!isKept(routeOf(location.hash))) client.unlist('search');
    },
    [client],
  );
  return (
    <SidePane title={search.title} close={closePane}>
      {id === undefined ? (
        <p className="side-note search-none">{search.nothingYet}</p>
      ) : (
        <Search key={id} conversation={id} />
      )}
    </SidePane>
  );
}

function Search({ conversation }: { conversation: string }) {
  const client = useClient();
  const { search } = useWords();
  const listing = useKnown((state) => state.listings.get('search'));
  const names = useKnown((state) => state.names);
  const [asked, setAsked] = useState<Asked>(() => heldIn(listing?.question, conversation));
  const [more, setMore] = useState(asked.from !== '' || asked.before !== '');
  const field = useRef<HTMLInputElement>(null);
  const people = useId();
  const { words, from, before, everywhere } = asked;
  const question = questionOf(asked, conversation);
  const fault = question !== null && 'fault' in question ? question.fault : null;

  useEffect(() => {
    if (window.matchMedia('(pointer: fine)').matches) field.current?.focus();
  }, []);
  useEffect(() => {
    const wanted = questionOf({ words, from, before, everywhere }, conversation);
    if (wanted === null || 'fault' in wanted) return;
    const timer = setTimeout(() => {
      const held = client.store.state.listings.get('search')?.question;
      if (held?.list !== 'search' || !isSame(held, wanted)) client.list(wanted);
    }, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [client, conversation, words, from, before, everywhere]);

  const put = (change: Partial<Asked>) => setAsked((held) => ({ ...held, ...change }));
  const current = listing?.question;
  const isAnswer =
    question !== null && !('fault' in question) && current?.list === 'search' && isSame(current, question);
  return (
    <>
      <search>
        <form className="search-form" onSubmit={(event) => event.preventDefault()}>
          <label className="field search-words">
            <span className="visually-hidden">{search.words}</span>
            <SearchIcon />
            <input
              ref={field}
              type="search"
              value={words}
              placeholder={search.words}
              maxLength={MAX_CHARACTERS}
              autoComplete="off"
              onChange={(event) => put({ words: event.target.value })}
            />
          </label>
          <div className="search-options">
            <label className="choice">
              <input
                type="checkbox"
                checked={everywhere}
                onChange={(event) => put({ everywhere: event.target.checked })}
              />
              <span>{search.everywhere}</span>
            </label>
            <button type="button" className="link" aria-expanded={more} onClick={() => setMore(!more)}>
              {search.narrow}
            </button>
          </div>
          {more && (
            <div className="search-more">
              <label className="field">
                <span>{search.from}</span>
                <input
                  value={from}
                  list={people}
                  placeholder="@"
                  maxLength={33}
                  autoComplete="off"
                  onChange={(event) => put({ from: event.target.value })}
                />
              </label>
              <datalist id={people}>
                {[...names].slice(0, MAX_SUGGESTED).map(([handle, name]) => (
                  <option key={handle} value={handle}>
                    {name}
                  </option>
                ))}
              </datalist>
              <label className="field">
                <span>{search.before}</span>
                <input type="date" value={before} onChange={(event) => put({ before: event.target.value })} />
              </label>
            </div>
          )}
          {fault !== null && (
            <p className="problem" role="alert">
              {search.faults[fault]}
            </p>
          )}
        </form>
      </search>
      <Found listing={isAnswer ? listing : undefined} asking={question !== null && fault === null} />
    </>
  );
}

/** Of those whom this page has met; any other handle can be written. */
const MAX_SUGGESTED = 200;

/** What was asked last, where it was asked here or everywhere. */
function heldIn(
  question: Parameters<typeof isSame>[0] | { list: string } | undefined,
  conversation: string,
): Asked {
  if (question === undefined || !('words' in question)) return NOTHING;
  return question.everywhere || question.conversation === conversation ? askedIn(question) : NOTHING;
}
