import { useKnown, useServerNow } from '../../hooks/client.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { lastSeen } from '../../kit/time.ts';

/** Whether somebody is there, in words, and what they say about it; nothing where it is not known. */
export function Presence({ user }: { user: string }) {
  const presence = useKnown((state) => state.presence.get(user));
  const { words, calendar } = useSpeech();
  const { people, time } = words.common;
  const now = useServerNow();
  if (presence === undefined) return null;
  const { status, text = '', lastSeen: seen } = presence;
  const said = text !== '' && (
    <>
      {' · '}
      <bdi>{text}</bdi>
    </>
  );
  if (status === 'offline') {
    return (
      <>
        {seen === undefined ? time.offline : lastSeen(seen, now, calendar, time)}
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
