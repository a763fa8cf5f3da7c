import { useMemo } from 'react';
import { neighbour, unreadNeighbour } from '../../features/list/sections.ts';
import { rowsNow } from '../../features/list/useRows.ts';
import { useClient } from '../../hooks/client.ts';
import { go, hashOfKey, navigate, type Route } from '../../hooks/route.ts';
import { focusConversation, focusFilter, focusSearch } from '../../kit/places.ts';
import type { Dialogs } from '../dialogs.tsx';
import type { Deeds } from './shortcuts.ts';

/** What the shortcuts do in the page as it is now. */
export function useKeyDeeds(route: Route, open: string | null, { show }: Dialogs): Deeds {
  const client = useClient();
  return useMemo(() => {
    const { me } = client;
    const goTo = (key: string | undefined) => {
      if (key !== undefined) navigate(hashOfKey(key, me));
    };
    return {
      switchTo: () => show('switcher'),
      newConversation: () => show('people'),
      search: () => {
        if (route.page !== 'conversation' || open === null) focusFilter();
        else if (route.pane?.name === 'search') focusSearch();
        else go({ ...route, pane: { name: 'search' } });
      },
      filter: focusFilter,
      help: () => show('keys'),
      step: (by) => goTo(neighbour(rowsNow(client).shown, open, by)?.key),
      stepToNew: (by) => goTo(unreadNeighbour(rowsNow(client).all, open, by, me)?.key),
      back: () => {
        if (route.page === 'conversation' && route.pane !== null) go({ ...route, pane: null });
        else focusConversation();
      },
    };
  }, [client, route, open, show]);
}
