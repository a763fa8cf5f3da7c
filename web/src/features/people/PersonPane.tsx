import { useEffect, useMemo, useState } from 'react';
import { SidePane } from '../../app/SidePane.tsx';
import { useClient, useKnown } from '../../hooks/client.ts';
import { closePane } from '../../hooks/pane.ts';
import { hashOfKey, hashOfPeople } from '../../hooks/route.ts';
import { useBeside } from '../../hooks/useBeside.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Avatar } from '../../kit/Avatar.tsx';
import { isolate } from '../../kit/bidi.ts';
import { ChatIcon } from '../../kit/icons.tsx';
import { Handle, Name } from '../../kit/Name.tsx';
import { roomOfKey } from '../../store/state.ts';
import { faultText } from '../outbox/faults.ts';
import { BlockButton, BlockDialog } from './BlockButton.tsx';
import { BlockFaults, useBlocked } from './Blocking.tsx';
import { Presence } from './Presence.tsx';
import './people.css';

/** Who somebody is, beside the open conversation, and what one can do about them. */
export function PersonPane({ handle, conversationKey }: { handle: string; conversationKey: string }) {
  const client = useClient();
  const { common, people: said } = useWords();
  const status = useKnown((state) => (state.card?.handle === handle ? state.card.status : 'loading'));
  const there = status === 'there';
  useEffect(() => {
    void client.card.open(handle);
    return () => client.card.close();
  }, [client, handle]);
  useBeside(useMemo(() => (there ? [handle] : []), [there, handle]));
  return (
    <SidePane title={said.profile} close={closePane}>
      <div className="side-pane-body person">
        {status === 'nobody' ? (
          <p className="side-pane-note">{said.noSuchPerson(handle)}</p>
        ) : status === 'failed' ? (
          <p className="problem" role="alert">
            {said.notRead}{' '}
            <button type="button" className="link" onClick={() => void client.card.open(handle)}>
              {common.tryAgain}
            </button>
          </p>
        ) : (
          <Card handle={handle} conversationKey={conversationKey} />
        )}
      </div>
    </SidePane>
  );
}

function Card({ handle, conversationKey }: { handle: string; conversationKey: string }) {
  const { me } = useClient();
  const { people: said } = useWords();
  const name = useKnown((state) => state.names.get(handle)) ?? handle;
  const presence = useKnown((state) => state.presence.get(handle)?.status);
  const room = roomOfKey(conversationKey);
  const isOwner = useKnown(
    (state) =>
      room !== null && state.conversations.get(room)?.room?.owners.some((owner) => owner === handle) === true,
  );
  return (
    <>
      <div className="person-card">
        <Avatar handle={handle} name={name} presence={presence} />
        <h3>
          <Name>{name}</Name>
        </h3>
        <p className="person-handle">
          <Handle of={handle} />
        </p>
        {isOwner && <p className="person-role">{said.owner}</p>}
        <p className="person-presence" role="status">
          <Presence user={handle} />
        </p>
      </div>
      {handle === me ? (
        <p className="side-pane-note">{said.thisIsYou}</p>
      ) : (
        <Deeds handle={handle} name={name} conversationKey={conversationKey} />
      )}
    </>
  );
}

function Deeds({ handle, name, conversationKey }: { handle: string; name: string; conversationKey: string }) {
  const client = useClient();
  const { common, people: said } = useWords();
  const blocked = useBlocked(handle);
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const called = isolate(name);
  const address = hashOfPeople([handle]);
  const block = (to: boolean) => {
    const outcome = client.do({ kind: 'block', user: handle, blocked: to });
    setProblem('fault' in outcome ? faultText(outcome.fault, 0, common) : null);
  };
  return (
    <div className="person-deeds">
      {blocked && <p className="hint">{said.youBlocked(called)}</p>}
      {!blocked && hashOfKey(conversationKey, client.me) !== address && (
        <a className="button primary with-icon" href={address}>
          <ChatIcon />
          {said.write}
        </a>
      )}
      <BlockButton name={called} blocked={blocked} press={() => (blocked ? block(false) : setAsking(true))} />
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <BlockFaults user={handle} />
      {asking && <BlockDialog name={called} block={() => block(true)} close={() => setAsking(false)} />}
    </div>
  );
}
