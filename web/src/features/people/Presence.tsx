import { useKnown, useTold } from '../../hooks/client.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { lastSeen } from '../../kit/time.ts';

/** Whether somebody is there, in words, and what they say about it; nothing where it is not known. */
export function Presence({ user }: { user: string }) {
  const presence = useKnown((state) => state.presence.get(user));
  const { words, calendar } = useSpeech();
  const { people, time } = words.common;
  const seen = useTold((now) =>
    presence?.lastSeen === undefined ? time.offline : lastSeen(presence.lastSeen, now, calendar, time),
  );
  if (presence === undefined) return null;
  const { status, text = '' } = presence;
  const said = text !== '' && (
    <>
      {' · '}
      <bdi>{text}</bdi>
    </>
  );
  if (status === 'offline') {
    return (
      <>
        {seen}
        {said}
      </>
    );
  }
  return (
    <>
      <span className={`presence presence-${status}`}>{people.presence[status]}</span>
      {said}
    </>
  );
}
