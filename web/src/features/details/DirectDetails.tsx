import { useClient, useKnown } from '../../hooks/client.ts';
import { showPane } from '../../hooks/pane.ts';
import { hashOfKey } from '../../hooks/route.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Avatar } from '../../kit/Avatar.tsx';
import { CopyLink } from '../../kit/CopyLink.tsx';
import { titleOf } from '../../kit/people.ts';
import { peopleOfKey } from '../../store/state.ts';

/** Of a conversation of people: it has no settings, and nobody leaves it. */
export function DirectDetails({ conversationKey }: { conversationKey: string }) {
  const { me } = useClient();
  const { common, details: said, members } = useWords();
  const names = useKnown((state) => state.names);
  const others = peopleOfKey(conversationKey).filter((user) => user !== me);
  const title = titleOf(others, names, common.people);
  return (
    <>
      <div className="details-head">
        <Avatar handle={others[0] ?? me} name={title} />
        <h3 dir="auto">{title}</h3>
      </div>
      <button
        type="button"
        className="button"
        onClick={() =>
          showPane(
            others.length === 1 && others[0] !== undefined
              ? { name: 'person', handle: others[0] }
              : { name: 'members' },
          )
        }
      >
        {others.length === 1 ? members.profile : said.people}
      </button>
      <CopyLink hash={hashOfKey(conversationKey, me)} className="button with-icon wide" />
    </>
  );
}
