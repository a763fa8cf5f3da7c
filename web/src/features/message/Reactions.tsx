import { useClient, useKnown } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { namesOf } from '../../kit/people.ts';
import type { Reaction } from '../../store/state.ts';

interface ReactionsProps {
  reactions: readonly Reaction[];
  toggle(emoji: string, mine: boolean): void;
}

/** Who reacts with what; pressing one joins in, or takes that back. */
export function Reactions({ reactions, toggle }: ReactionsProps) {
  const { me } = useClient();
  const { common, message } = useWords();
  const names = useKnown((state) => state.names);
  if (reactions.length === 0) return null;
  return (
    <ul className="reactions" aria-label={message.reactions}>
      {reactions.map(({ emoji, users, count }) => {
        const mine = users.includes(me);
        const who = namesOf(users, count, me, names, common.people);
        return (
          <li key={emoji}>
            <button
              type="button"
              className={mine ? 'reaction reaction-mine' : 'reaction'}
              aria-pressed={mine}
              aria-label={message.reactionOf(emoji, count, who)}
              title={who}
              onClick={() => toggle(emoji, mine)}
            >
              <span className="emoji">{emoji}</span> {count}
            </button>
          </li>
        );
      })}
    </ul>
  );
}
