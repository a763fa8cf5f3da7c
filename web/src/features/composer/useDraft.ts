import { useSyncExternalStore } from 'react';
import { useClient } from '../../hooks/client.ts';
import type { Draft } from '../../outbox/drafts.ts';

/** What is written there and not sent, in whichever tab. */
export function useDraft(key: string): Draft | undefined {
  const { drafts } = useClient();
  return useSyncExternalStore(drafts.subscribe, () => drafts.get(key));
}
