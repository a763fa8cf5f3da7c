import { BackLink } from '../../app/BackLink.tsx';
import { HeadPanes } from '../../app/HeadPanes.tsx';
import { useClient, useKnown } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Avatar } from '../../kit/Avatar.tsx';
import { InfoIcon, PeopleIcon, PersonIcon } from '../../kit/icons.tsx';
import { directKey } from '../../store/state.ts';
import { Presence } from '../people/Presence.tsx';

interface DirectHeadProps {
  others: readonly string[];
  title: string;
}

export function DirectHead({ others, title }: DirectHeadProps) {
  const { me } = useClient();
  const { details, members, people } = useWords();
  const [first = me] = others;
  const presence = useKnown((state) => (others.length === 1 ? state.presence.get(first)?.status : undefined));
  const everybody = others.length + 1;
  return (
    <header className="conversation-head">
      <BackLink />
      <Avatar handle={first} name={title} presence={presence} />
      <div className="conversation-who">
        <h2 dir="auto" title={title}>
          {title}
        </h2>
        <p className="conversation-sub">
          {presence !== undefined && (
            <>
              <Presence user={first} /> ·{' '}
            </>
          )}
          <bdi>{others.map((user) => `@${user}`).join(' ')}</bdi>
        </p>
      </div>
      <HeadPanes
        conversationKey={directKey([me, ...others])}
        title={title}
        ways={[
          others.length > 1
            ? {
                ...{ pane: { name: 'members' }, name: members.show(everybody), icon: <PeopleIcon /> },
                count: everybody,
              }
            : {
                pane: { name: 'person', handle: first },
                name: people.profileOf(title),
                icon: <PersonIcon />,
              },
          { pane: { name: 'details' }, name: details.title, icon: <InfoIcon /> },
        ]}
      />
    </header>
  );
}
