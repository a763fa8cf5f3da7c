import { useRef, useState } from 'react';
import { useClient, useKnown, useQueue } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Avatar } from '../../kit/Avatar.tsx';
import { Handle, Name } from '../../kit/Name.tsx';
import { nameOf } from '../../kit/people.ts';
import { pendingBlock } from '../../outbox/pending.ts';
import { faultText } from '../outbox/faults.ts';
import { BlockFaults } from '../people/Blocking.tsx';

/** Whom this person has blocked, with the way back. */
export function PrivacySection() {
  const client = useClient();
  const { settings, people, common } = useWords();
  const { privacy } = settings;
  const names = useKnown((state) => state.names);
  const blocked = useKnown((state) => state.blocked);
  const known = useKnown((state) => state.blocksRead);
  const { entries } = useQueue();
  const [said, setSaid] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const head = useRef<HTMLHeadingElement>(null);
  const users = [...blocked].sort();
  const still = users.filter((user) => pendingBlock(entries, user) !== false);

  const unblock = (user: string, name: string) => {
    const outcome = client.do({ kind: 'block', user, blocked: false });
    setProblem('fault' in outcome ? faultText(outcome.fault, 0, common) : null);
    if ('fault' in outcome) return;
    setSaid(privacy.unblocked(name));
    // The button that was pressed is gone.
    head.current?.focus();
  };

  return (
    <>
      <h4 ref={head} tabIndex={-1}>
        {privacy.blocked}
      </h4>
      <p className="hint">{privacy.means}</p>
      {still.length === 0 && <p>{known ? privacy.nobody : privacy.loading}</p>}
      <ul className="settings-people" aria-label={privacy.blocked}>
        {still.map((user) => {
          const name = nameOf(user, names, common.people);
          return (
            <li key={user}>
              <Avatar handle={user} name={name} />
              <span className="settings-person">
                <Name>{name}</Name>
                {name !== user && (
                  <span className="hint">
                    <Handle of={user} />
                  </span>
                )}
              </span>
              <button
                type="button"
                className="button small"
                aria-label={people.unblockWhom(name)}
                onClick={() => unblock(user, name)}
              >
                {people.unblock}
              </button>
            </li>
          );
        })}
      </ul>
      {users.map((user) => (
        <BlockFaults key={user} user={user} />
      ))}
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <p className="settings-saved" role="status">
        {said !== '' && <span key={said}>{said}</span>}
      </p>
    </>
  );
}
