import { useEffect, useState } from 'react';
import { useClient, useKnown, useQueue } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Avatar } from '../../kit/Avatar.tsx';
import { isolate } from '../../kit/bidi.ts';
import { Handle, Name } from '../../kit/Name.tsx';
import { membershipsUnder } from './pending.ts';
import type { RoomDeed } from './useMemberDeeds.tsx';

interface BannedProps {
  conversation: string;
  run(deed: RoomDeed, user: string): void;
}

/** Who may not come back, once it is asked for. */
export function Banned({ conversation, run }: BannedProps) {
  const client = useClient();
  const { members: said, common } = useWords();
  const banned = useKnown((state) => state.members?.banned ?? null);
  const more = useKnown((state) => state.members?.bannedNext != null);
  const under = membershipsUnder(useQueue(), conversation);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (open && banned === null) void client.roster.bans();
  }, [banned, client, open]);
  return (
    <section className="banned">
      <h3 className="members-role">
        <button
          type="button"
          className="link"
          aria-expanded={open}
          title={said.showBanned}
          onClick={() => setOpen(!open)}
        >
          {said.banned}
          {open && banned !== null && !more && ` ${banned.size}`}
        </button>
      </h3>
      {open && (
        <>
          {banned === null && <p className="side-pane-note">{common.loading}</p>}
          {banned?.size === 0 && <p className="side-pane-note">{said.nobodyBanned}</p>}
          <ul className="members" aria-label={said.banned}>
            {[...(banned ?? [])].map((user) => (
              <BannedRow
                key={user}
                user={user}
                pending={under.has(user)}
                unban={() => run({ what: 'unban' }, user)}
              />
            ))}
          </ul>
          {more && (
            <button type="button" className="button small" onClick={() => void client.roster.bans()}>
              {said.more}
            </button>
          )}
        </>
      )}
    </section>
  );
}

function BannedRow({ user, pending, unban }: { user: string; pending: boolean; unban(): void }) {
  const { members: said } = useWords();
  const name = useKnown((state) => state.names.get(user)) ?? user;
  return (
    <li className="member still" data-user={user}>
      <Avatar handle={user} name={name} />
      <span className="row-text">
        <span className="row-title">
          <Name>{name}</Name>
        </span>
        <span className="row-last">
          <Handle of={user} />
        </span>
      </span>
      <button
        type="button"
        className="button small"
        aria-label={said.unbanWhom(isolate(name))}
        aria-disabled={pending}
        onClick={() => !pending && unban()}
      >
        {pending ? said.waiting : said.unban}
      </button>
    </li>
  );
}
