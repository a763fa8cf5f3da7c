import { useKnown } from '../../hooks/client.ts';
import { showPane } from '../../hooks/pane.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Avatar } from '../../kit/Avatar.tsx';
import { isolate } from '../../kit/bidi.ts';
import { Handle, Name } from '../../kit/Name.tsx';
import { Presence } from '../people/Presence.tsx';
import type { MemberDeed } from './deeds.ts';
import { MemberMenu } from './MemberMenu.tsx';

interface MemberRowProps {
  user: string;
  isMe: boolean;
  /** What may be done with them. */
  deeds: readonly MemberDeed[];
  /** Something is being done. */
  pending: boolean;
  mention?: ((user: string) => void) | undefined;
  run(deed: MemberDeed, user: string): void;
}

export function MemberRow({ user, isMe, deeds, pending, mention, run }: MemberRowProps) {
  const { members: said } = useWords();
  const name = useKnown((state) => state.names.get(user)) ?? user;
  const presence = useKnown((state) => state.presence.get(user)?.status);
  return (
    <li className="member" data-user={user}>
      <button type="button" className="row" onClick={() => showPane({ name: 'person', handle: user })}>
        <Avatar handle={user} name={name} presence={presence} />
        <span className="row-text">
          <span className="row-title">{isMe ? said.you(isolate(name)) : <Name>{name}</Name>}</span>
          <span className="row-last">
            <Handle of={user} />
            {presence !== undefined && ' · '}
            <Presence user={user} />
          </span>
        </span>
      </button>
      <span className="hint" role="status">
        {pending && said.waiting}
      </span>
      <MemberMenu
        user={user}
        name={name}
        isMe={isMe}
        deeds={deeds}
        pending={pending}
        mention={mention && (() => mention(user))}
        run={(deed) => run(deed, user)}
      />
    </li>
  );
}
