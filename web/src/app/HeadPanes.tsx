import { HeadMenu } from '../features/list/HeadMenu.tsx';
import { useMedia } from '../hooks/page.ts';
import { useWords } from '../i18n/speech.tsx';
import { SearchIcon, ThreadIcon } from '../kit/icons.tsx';
import { HeadPane, type PaneWay } from './HeadPane.tsx';

/** There is room for a name and little else. */
const NARROW = '(max-width: 479px)';

interface HeadPanesProps {
  conversationKey: string;
  title: string;
  /** What only some conversations have. */
  ways: readonly PaneWay[];
}

/** What the head of a conversation opens beside it, and the menu of the conversation; where it is narrow most is in the menu. */
export function HeadPanes({ conversationKey, title, ways }: HeadPanesProps) {
  const { search, threads } = useWords();
  const narrow = useMedia(NARROW);
  const looking = { pane: { name: 'search' }, name: search.title, icon: <SearchIcon /> } as const;
  const others: PaneWay[] = [
    { pane: { name: 'threads' }, name: threads.title, icon: <ThreadIcon /> },
    ...ways,
  ];
  return (
    <div className="head-panes">
      <HeadPane {...looking} />
      {!narrow && others.map((way) => <HeadPane key={way.pane.name} {...way} />)}
      <HeadMenu conversationKey={conversationKey} title={title} ways={narrow ? others : []} />
    </div>
  );
}
