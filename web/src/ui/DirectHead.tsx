import { Avatar } from './Avatar.tsx';
import { BackLink } from './BackLink.tsx';
import { BlockButton } from './Blocking.tsx';
import { hereAndNow, lastSeen } from './format.ts';
import { useClient, useKnown, useNow } from './hooks.ts';

interface DirectHeadProps {
  others: readonly string[];
  title: string;
  blocked: boolean;
  /** Blocks or unblocks the only other one. */
  pressBlock(): void;
}

export function DirectHead({ others, title, blocked, pressBlock }: DirectHeadProps) {
  const { me } = useClient();
  return (
    <header className="conversation-head">
      <BackLink />
      <Avatar handle={others[0] ?? me} name={title} />
      <div className="conversation-who">
        <h2>{title}</h2>
        <p className="conversation-sub">
          <Presence others={others} />
        </p>
      </div>
      {others.length === 1 && <BlockButton name={title} blocked={blocked} press={pressBlock} />}
    </header>
  );
}

function Presence({ others }: { others: readonly string[] }) {
  const [first = ''] = others;
  const presence = useKnown((state) => state.presence.get(first));
  const now = useNow(false);
  if (others.length === 0) return null;
  const handles = others.map((user) => `@${user}`).join(' ');
  if (others.length > 1 || presence === undefined) return handles;
  if (presence.status !== 'offline') {
    return (
      <>
        <span className={`presence presence-${presence.status}`}>{capitalised(presence.status)}</span> ·{' '}
        {handles}
      </>
    );
  }
  const seen = presence.lastSeen === undefined ? 'Offline' : lastSeen(presence.lastSeen, now, hereAndNow);
  return `${seen} · ${handles}`;
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
