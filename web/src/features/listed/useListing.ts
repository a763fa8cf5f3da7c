import { useEffect, useMemo } from 'react';
import { useClient, useKnown } from '../../hooks/client.ts';
import type { Listing } from '../../store/listings.ts';

/** What is listed of a conversation, for as long as this is on the screen; read by whoever shows it first. */
export function useListing(list: 'threads' | 'pins', conversation: string | undefined): Listing | undefined {
  const client = useClient();
  const question = useMemo(
    () => (conversation === undefined ? null : { list, conversation }),
    [list, conversation],
  );
  useEffect(() => {
    if (question === null) return;
    client.list(question);
    return () => client.unlist(question.list);
  }, [client, question]);
  return useListed(list, conversation);
}

/** The same where somebody else has it read. */
export function useListed(list: 'threads' | 'pins', conversation: string | undefined): Listing | undefined {
  const held = useKnown((state) => state.listings.get(list));
  return held?.question.conversation === conversation ? held : undefined;
}
