import { useWords } from '../../i18n/speech.tsx';

const MOST = 999;

/** How much is new, with the words that say of what. */
export function Unread({ count, muted = false }: { count: number; muted?: boolean }) {
  const { list } = useWords();
  return (
    <span className={muted ? 'badge badge-muted' : 'badge'}>
      {atMost(count)}
      <span className="visually-hidden"> {list.unread}</span>
    </span>
  );
}

export function Mentions({ count }: { count: number }) {
  const { list } = useWords();
  return (
    <span className="badge badge-mention">
      <bdi>@{atMost(count)}</bdi>
      <span className="visually-hidden"> {list.mentions(count)}</span>
    </span>
  );
}

function atMost(count: number): string {
  return count > MOST ? `${MOST}+` : String(count);
}
