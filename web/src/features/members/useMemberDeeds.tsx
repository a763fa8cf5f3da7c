import { type ReactNode, useCallback, useState } from 'react';
import { useClient, useKnown } from '../../hooks/client.ts';
import { useWords } from '../../i18n/speech.tsx';
import { ConfirmDialog } from '../../kit/ConfirmDialog.tsx';
import { nameOf } from '../../kit/people.ts';
import { faultText } from '../outbox/faults.ts';
import type { MemberDeed } from './deeds.ts';

export type RoomDeed = MemberDeed | { what: 'unban' };

export interface MemberDeeds {
  /** Does it, after a question where it is not easily taken back. */
  run(deed: RoomDeed, user: string): void;
  /** Why the last thing could not even wait. */
  problem: string | null;
  dialog: ReactNode;
}

/** What is done with the people of a room. */
export function useMemberDeeds(conversation: string): MemberDeeds {
  const client = useClient();
  const { common, members: said } = useWords();
  const [asking, setAsking] = useState<{ deed: RoomDeed; user: string } | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const name = useKnown((state) => nameOf(asking?.user ?? '', state.names, common.people));
  const visibility = useKnown((state) => state.conversations.get(conversation)?.room?.visibility ?? 'public');

  const act = useCallback(
    (deed: RoomDeed, user: string) => {
      const to = { conversation };
      const outcome = client.do(
        deed.what === 'make' ? { kind: 'role', to, user, role: deed.role } : { kind: deed.what, to, user },
      );
      setProblem('fault' in outcome ? faultText(outcome.fault, 0, common) : null);
    },
    [client, common, conversation],
  );
  const run = useCallback(
    (deed: RoomDeed, user: string) => {
      const gives = deed.what === 'make' && (deed.role === 'owner' || user === client.me);
      if (gives || deed.what === 'remove' || deed.what === 'ban') setAsking({ deed, user });
      else act(deed, user);
    },
    [act, client],
  );
  if (asking === null) return { run, problem, dialog: null };

  const { deed, user } = asking;
  const question = {
    make:
      user === client.me
        ? { title: said.lessTitle, means: said.lessMeans, deed: said.lessDeed }
        : { title: said.ownerTitle(name), means: said.ownerMeans, deed: said.make.owner },
    remove: {
      title: said.removeTitle(name),
      means: said.removeMeans[visibility],
      deed: said.removeDeed,
    },
    ban: { title: said.banTitle(name), means: said.banMeans, deed: said.banDeed },
    unban: null,
  }[deed.what];
  const dialog = question !== null && (
    <ConfirmDialog
      title={question.title}
      deed={question.deed}
      run={() => act(deed, user)}
      close={() => setAsking(null)}
    >
      {question.means}
    </ConfirmDialog>
  );
  return { run, problem, dialog };
}
