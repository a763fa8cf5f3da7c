import { useCallback } from 'react';
import { flushSync } from 'react-dom';
import { COVERS } from '../../app/SidePane.tsx';
import { useClient } from '../../hooks/client.ts';
import { closePane } from '../../hooks/pane.ts';

/** Puts somebody into what is being written to a conversation, and goes on writing it. */
export function useMention(conversationKey: string): (user: string) => void {
  const { drafts } = useClient();
  return useCallback(
    (user) => {
      const { text = '' } = drafts.get(conversationKey) ?? {};
      const apart = text === '' || /\s$/.test(text) ? text : `${text} `;
      // Drawn before the field gets the focus: it may be covered until then.
      flushSync(() => {
        drafts.write(conversationKey, { text: `${apart}@${user} ` });
        if (window.matchMedia(COVERS).matches) closePane();
      });
      document.querySelector<HTMLElement>('.composer textarea')?.focus();
    },
    [drafts, conversationKey],
  );
}
