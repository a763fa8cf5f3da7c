import { useKnown } from '../../hooks/client.ts';
import type { Catalogue } from '../../i18n/en.ts';
import { useWords } from '../../i18n/speech.tsx';
import { type Names, nameOf } from '../../kit/people.ts';

/** Who types here at this moment. */
export function Typing({ id }: { id: string | undefined }) {
  const words = useWords();
  const names = useKnown((state) => state.names);
  const typing = useKnown((state) => (id === undefined ? undefined : state.typing.get(id)));
  return (
    <p className="typing" role="status" aria-label={words.timeline.typing}>
      {typingText([...(typing?.keys() ?? [])], names, words)}
    </p>
  );
}

export function typingText(
  users: readonly string[],
  names: Names,
  { common, timeline }: Pick<Catalogue, 'common' | 'timeline'>,
): string {
  const [one, other, ...more] = users.map((user) => nameOf(user, names, common.people));
  if (one === undefined) return '';
  if (other === undefined) return timeline.isTyping(one);
  return more.length === 0 ? timeline.areTyping(one, other) : timeline.severalTyping;
}
