import { useClient, useQueue } from '../../hooks/client.ts';
import { showPane, usePane } from '../../hooks/pane.ts';
import { useWords } from '../../i18n/speech.tsx';
import { PinIcon } from '../../kit/icons.tsx';
import { useListing } from '../listed/useListing.ts';
import { plain } from '../message/text/plain.ts';
import { stillPinned } from './pinned.ts';
import './pins.css';

/** Below the head of a conversation: what was pinned last, and the way to all that is. */
export function PinsBar({ conversation }: { conversation: string | undefined }) {
  const { me } = useClient();
  const { pins } = useWords();
  const listing = useListing('pins', conversation);
  const queue = useQueue();
  const shown = usePane()?.name === 'pins';
  const items = stillPinned(listing?.items ?? [], queue.entries, me);
  const [last] = items;
  if (listing === undefined || last === undefined) return null;
  return (
    <button
      type="button"
      className="pins-bar"
      aria-expanded={shown}
      onClick={() => showPane(shown ? null : { name: 'pins' })}
    >
      <PinIcon />
      <span className="pins-count">{pins.count(items.length, listing.next !== null)}</span>
      <span className="pins-last" dir="auto">
        {plain(last.message.text)}
      </span>
    </button>
  );
}
