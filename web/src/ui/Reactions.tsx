import type { Reaction } from '../store/state.ts';
import { namesOf } from './format.ts';

interface ReactionsProps {
  reactions: readonly Reaction[];
  me: string;
  names: ReadonlyMap<string, string>;
  toggle(emoji: string, mine: boolean): void;
}

/** Who reacts with what; pressing one joins in, or takes that back. */
export function Reactions({ reactions, me, names, toggle }: ReactionsProps) {
  if (reactions.length === 0) return null;
  return (
    <ul className="reactions" aria-label="Reactions">
      {reactions.map(({ emoji, users, count }) => {
        const mine = users.includes(me);
        const who = namesOf(users, count, me, names);
        return (
          <li key={emoji}>
            <button
              type="button"
              className={mine ? 'reaction reaction-mine' : 'reaction'}
              aria-pressed={mine}
              aria-label={`${emoji} ${count}: ${who}`}
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
