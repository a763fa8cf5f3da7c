/** A list in a pane, with all that can be said of how it is read. */

import type { ReactNode } from 'react';
import { useClient } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import type { Listing } from '../../store/listings.ts';
import { refusalText } from '../outbox/faults.ts';
import './listed.css';

interface ListingBodyProps {
  listing: Listing;
  name: string;
  /** What is said where there is nothing in it. */
  empty: string;
  /** What asks for the next page. */
  more: string;
  children: readonly ReactNode[];
}

export function ListingBody({ listing, name, empty, more, children }: ListingBodyProps) {
  const client = useClient();
  const { common } = useWords();
  const { reading, next, question } = listing;
  return (
    <>
      {children.length > 0 && (
        <ol className="listed-all" aria-label={name}>
          {children}
        </ol>
      )}
      <p className="side-note" role="status" aria-label={name}>
        {reading.status === 'loading' && children.length === 0 && (
          <span className="appears-late">{common.loading}</span>
        )}
        {reading.status === 'done' && children.length === 0 && empty}
      </p>
      {reading.status === 'failed' && (
        <p className="side-note problem" role="alert">
          {refusalText(reading.fault, common)}{' '}
          <button type="button" className="link" onClick={() => void client.listAgain(question.list)}>
            {common.tryAgain}
          </button>
        </p>
      )}
      {next !== null && reading.status !== 'failed' && (
        <button
          type="button"
          className="button listed-more"
          aria-disabled={reading.status === 'loading'}
          onClick={() => void client.listMore(question.list)}
        >
          {reading.status === 'loading' ? common.loading : more}
        </button>
      )}
    </>
  );
}
