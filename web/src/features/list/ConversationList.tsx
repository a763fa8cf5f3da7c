import { type KeyboardEvent, useCallback, useMemo, useState } from 'react';
import { useClient, useKnown } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { isComposing } from '../../kit/composing.ts';
import { SearchIcon } from '../../kit/icons.tsx';
import { later } from '../../kit/later.tsx';
import { focusList, openFirstRow } from '../../kit/places.ts';
import { LIST_READING } from '../../store/state.ts';
import { refusalText } from '../outbox/faults.ts';
import { MAX_QUERY_CHARS } from './finding.ts';
import { SectionedList } from './SectionedList.tsx';
import { sectionsOf } from './sections.ts';
import { useOpened, useRows } from './useRows.ts';
import './list.css';

const FilterResults = later(async () => (await import('./FilterResults.tsx')).FilterResults);

export function ConversationList({ open, onNew }: { open: string | null; onNew(): void }) {
  const client = useClient();
  const { common, list: said } = useWords();
  const list = useKnown((state) => state.list);
  const listNext = useKnown((state) => state.listNext);
  const reading = useKnown((state) => state.readings.get(LIST_READING));
  const rows = useRows();
  const opened = useOpened();
  const sections = useMemo(() => sectionsOf(rows, client.me), [rows, client]);
  const [query, setQuery] = useState('');
  const clear = useCallback(() => setQuery(''), []);
  const keyDown = (event: KeyboardEvent) => {
    if (isComposing(event.nativeEvent)) return;
    // With one of these it is a shortcut of the page.
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.key === 'ArrowDown') focusList();
    else if (event.key === 'Escape' && query !== '') clear();
    else if (event.key === 'Enter' && query.trim() !== '') openFirstRow();
    else return;
    event.preventDefault();
  };
  const trouble = list.status === 'failed' ? list : reading?.status === 'failed' ? reading : null;

  return (
    <>
      <label className="list-filter">
        <SearchIcon />
        <span className="visually-hidden">{said.filter}</span>
        <input
          type="search"
          value={query}
          onFocus={FilterResults.fetch}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={keyDown}
          placeholder={common.search}
          autoComplete="off"
          spellCheck={false}
          maxLength={MAX_QUERY_CHARS}
        />
      </label>
      {trouble !== null && (
        <p className="list-note" role="alert">
          {refusalText(trouble.fault, common)}{' '}
          <button type="button" className="link" onClick={() => client.reread()}>
            {common.tryAgain}
          </button>
        </p>
      )}
      {query.trim() !== '' ? (
        <FilterResults query={query} rows={rows} open={open} done={clear} />
      ) : rows.length > 0 ? (
        <SectionedList sections={sections} opened={opened} open={open} />
      ) : (
        <div className="list-note">
          {list.status === 'loading' && <p>{said.loading}</p>}
          {list.status === 'done' && (
            <>
              <p className="list-none">{said.none}</p>
              <p>{said.noneMeans}</p>
              <button type="button" className="button" onClick={onNew}>
                {said.findSomeone}
              </button>
            </>
          )}
        </div>
      )}
      {listNext !== null && reading === undefined && query === '' && (
        <button
          type="button"
          className="button list-more"
          onClick={() => void client.loadMoreConversations()}
        >
          {said.more}
        </button>
      )}
    </>
  );
}
