/** What the address puts beside the open conversation: one pane, by its name. */
import { useOutside } from '../hooks/outside.ts';
import type { Pane, Route } from '../hooks/route.ts';
import { later } from '../kit/later.tsx';

const DetailsPane = later(async () => (await import('../features/details/DetailsPane.tsx')).DetailsPane);
const MembersPane = later(async () => (await import('../features/members/MembersPane.tsx')).MembersPane);
const PersonPane = later(async () => (await import('../features/people/PersonPane.tsx')).PersonPane);
const PinsPane = later(async () => (await import('../features/pins/PinsPane.tsx')).PinsPane);
const SearchPane = later(async () => (await import('../features/search/SearchPane.tsx')).SearchPane);
const ThreadPane = later(async () => (await import('../features/threads/ThreadPane.tsx')).ThreadPane);
const ThreadsPane = later(async () => (await import('../features/threads/ThreadsPane.tsx')).ThreadsPane);

export function Beside({ route, openKey }: { route: Route; openKey: string | null | undefined }) {
  const outside = useOutside(route);
  if (route.page !== 'conversation' || route.pane === null || openKey == null || outside !== null)
    return null;
  return <PaneOf pane={route.pane} conversationKey={openKey} />;
}

function PaneOf({ pane, conversationKey }: { pane: Pane; conversationKey: string }) {
  switch (pane.name) {
    case 'members':
      return <MembersPane key={conversationKey} conversationKey={conversationKey} />;
    case 'details':
      return <DetailsPane key={conversationKey} conversationKey={conversationKey} />;
    case 'person':
      return (
        <PersonPane
          key={`${conversationKey} ${pane.handle}`}
          handle={pane.handle}
          conversationKey={conversationKey}
        />
      );
    case 'thread':
      return (
        <ThreadPane
          key={`${conversationKey} ${pane.root}`}
          conversationKey={conversationKey}
          root={pane.root}
        />
      );
    case 'threads':
      return <ThreadsPane key={conversationKey} conversationKey={conversationKey} />;
    case 'pins':
      return <PinsPane key={conversationKey} conversationKey={conversationKey} />;
    case 'search':
      return <SearchPane conversationKey={conversationKey} />;
  }
}
