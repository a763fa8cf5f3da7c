import { useId } from 'react';
import { useClient, useQueue } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import type { Role } from '../../net/frames.ts';
import { deedsOn, type MemberDeed } from './deeds.ts';
import type { Group } from './groups.ts';
import { MemberRow } from './MemberRow.tsx';
import { membershipsUnder } from './pending.ts';

interface MemberGroupProps {
  conversation: string;
  group: Group;
  /** What this person is in the room. */
  mine: Role | null;
  owners: number;
  /** All of the group are listed. */
  complete: boolean;
  /** There is another page of it. */
  more: boolean;
  mention?: ((user: string) => void) | undefined;
  run(deed: MemberDeed | { what: 'unban' }, user: string): void;
}

export function MemberGroup({
  conversation,
  group,
  mine,
  owners,
  complete,
  more,
  mention,
  run,
}: MemberGroupProps) {
  const client = useClient();
  const { me } = client;
  const { members: said } = useWords();
  const heading = useId();
  const under = membershipsUnder(useQueue(), conversation);
  const { role, people } = group;
  return (
    <section>
      <h3 id={heading} className="members-role">
        {said.groups[role]}
        {complete && <span className="members-count"> {people.length}</span>}
      </h3>
      <ul className="members" aria-labelledby={heading}>
        {people.map((user) => (
          <MemberRow
            key={user}
            user={user}
            isMe={user === me}
            deeds={deedsOn({ mine, theirs: role, isMe: user === me, owners })}
            pending={under.has(user)}
            mention={mention}
            run={run}
          />
        ))}
      </ul>
      {more && (
        <button type="button" className="button small" onClick={() => void client.roster.more(role)}>
          {said.more}
        </button>
      )}
    </section>
  );
}
