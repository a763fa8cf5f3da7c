import { useEffect, useMemo } from 'react';
import { useClient, useKnown } from '../hooks/client.ts';
import { conversationsShown } from '../store/shown.ts';
import { badgeOf, titleOf } from './badge.ts';

/** The tab says how much waits to be read, and so does the icon where Natter is installed. */
export function useTitle(): void {
  const { me } = useClient();
  const conversations = useKnown(conversationsShown);
  const badge = useMemo(() => badgeOf(conversations.values(), me), [conversations, me]);
  const title = titleOf(badge);
  const count = badge.mentions || badge.unread;

  useEffect(() => {
    document.title = title;
  }, [title]);

  useEffect(() => {
    // Refused where Natter is not installed: then there is no icon to speak of.
    navigator.setAppBadge?.(count).catch(() => {});
  }, [count]);
  useEffect(() => () => void navigator.clearAppBadge?.().catch(() => {}), []);
}
