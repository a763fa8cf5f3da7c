import { useEffect, useMemo, useState } from 'react';
import { useClient, useConversation, useKnown, useQueue } from '../../hooks/client.ts';
import { useBeside } from '../../hooks/useBeside.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { PlusIcon } from '../../kit/icons.tsx';
import { may } from '../../net/rights.ts';
import { withPendingMembers } from '../../outbox/pending.ts';
import { MAX_MEMBERS_HELD, type Members } from '../../store/members.ts';
import { roomKey } from '../../store/state.ts';
import { refusalText } from '../outbox/faults.ts';
import { AddPeople } from './AddPeople.tsx';
import { Banned } from './Banned.tsx';
import { groupsOf } from './groups.ts';
import { MemberGroup } from './MemberGroup.tsx';
import { MembershipFaults } from './MembershipFaults.tsx';
import { membershipsOf } from './pending.ts';
import { useMemberDeeds } from './useMemberDeeds.tsx';
import { useMemberFocus } from './useMemberFocus.ts';
import { useMention } from './useMention.ts';

const SETTLE_MS = 150;
const A_HANDLE_BEGINS = /^[a-z0-9][a-z0-9_-]{0,31}$/;

/** The people of a room by role; what may be done with them; for those in charge, who is banned. */
export function RoomPeople({ id }: { id: string }) {
  const client = useClient();
  const { words, calendar } = useSpeech();
  const { common, members: said } = words;
  const conversation = useConversation(id);
  const members = useKnown((state) => (state.members?.conversation === id ? state.members : null));
  const names = useKnown((state) => state.names);
  const [sought, setSought] = useState('');
  const [adding, setAdding] = useState(false);
  const { run, problem, dialog } = useMemberDeeds(id);
  const mention = useMention(roomKey(id));
  const focus = useMemberFocus();

  useEffect(() => {
    client.roster.open(id);
    return () => client.roster.close();
  }, [client, id]);
  useSought(sought, members);
  const people = members?.people;
  useBeside(useMemo(() => [...(people?.keys() ?? [])], [people]));
  const queue = useQueue();
  const groups = useMemo(() => {
    if (people === undefined) return [];
    const soon = withPendingMembers(people, membershipsOf(queue, id));
    return groupsOf(soon, names, sought, calendar.locale);
  }, [people, queue, id, names, sought, calendar]);

  const room = conversation?.room ?? null;
  if (conversation === undefined || room === null || members === null) return null;
  const mine = conversation.role;
  const nobody = groups.length === 0 && members.reading.status === 'done';
  return (
    <>
      <div className="members-head">
        <label className="field">
          <span>{said.find}</span>
          <input
            type="search"
            value={sought}
            onChange={(event) => setSought(event.target.value)}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={64}
          />
        </label>
        {may(mine, 'add') && !room.archived && (
          <button type="button" className="button with-icon" onClick={() => setAdding(true)}>
            <PlusIcon />
            {said.add}
          </button>
        )}
      </div>
      <div {...focus} className="side-pane-body">
        <p className="side-pane-note" role="status" aria-label={said.title}>
          {members.reading.status === 'loading' && members.people.size === 0
            ? said.loading
            : nobody
              ? said.noneFound(sought.trim())
              : sought.trim() === '' && conversation.memberCount > 0
                ? said.inRoom(conversation.memberCount)
                : ''}
        </p>
        {members.reading.status === 'failed' && (
          <p className="problem" role="alert">
            {refusalText(members.reading.fault, common)}{' '}
            <button type="button" className="link" onClick={() => client.roster.reread()}>
              {common.tryAgain}
            </button>
          </p>
        )}
        {problem !== null && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <MembershipFaults conversation={id} />
        {groups.map((group) => (
          <MemberGroup
            key={group.role}
            conversation={id}
            group={group}
            mine={mine}
            owners={room.owners.length}
            complete={sought.trim() === '' && members.next[group.role] === null}
            more={members.people.size < MAX_MEMBERS_HELD && members.next[group.role] !== null}
            mention={room.archived ? undefined : mention}
            run={run}
          />
        ))}
        {members.people.size >= MAX_MEMBERS_HELD && <p className="hint">{said.thereAreMore}</p>}
        {may(mine, 'unban') && <Banned conversation={id} run={run} />}
      </div>
      {adding && <AddPeople conversation={id} name={room.name} close={() => setAdding(false)} />}
      {dialog}
    </>
  );
}

/** Those who were not read yet are looked for once what is typed stands still. */
function useSought(sought: string, members: Members | null): void {
  const client = useClient();
  const prefix = sought.trim().replace(/^@/, '').toLowerCase();
  const partly = members !== null && Object.values(members.next).some((next) => next !== null);
  useEffect(() => {
    if (!partly || !A_HANDLE_BEGINS.test(prefix)) return;
    const timer = setTimeout(() => void client.roster.find(prefix), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [client, partly, prefix]);
}
