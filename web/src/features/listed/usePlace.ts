import { useKnown } from '../../hooks/client.ts';
import { useMedia } from '../../hooks/page.ts';
import { hashOf, keyOfRoute, type Route, useRoute } from '../../hooks/route.ts';
import type { Listed } from '../../store/listings.ts';
import { idShown } from '../../store/shown.ts';

/** From here on a pane stands beside the conversation (`shell.css`); below it would hide what one goes to. */
const BESIDE = '(min-width: 1100px)';

/** The address of a listed message; what is beside the conversation stays where there is room for both. */
export function usePlace({ conversation, thread, message }: Listed): string {
  const route = useRoute();
  const beside = useMedia(BESIDE);
  const open = useKnown((state) => {
    const key = keyOfRoute(route, state);
    return key != null && idShown(state, key) === conversation;
  });
  return hashOf(placeOf(route, open, beside, { conversation, thread, seq: message.seq }));
}

export function placeOf(
  route: Route,
  open: boolean,
  beside: boolean,
  { conversation, thread, seq }: { conversation: string; thread: number | null; seq: number },
): Route {
  const here = route.page === 'conversation';
  const pane = here && beside ? route.pane : null;
  return {
    page: 'conversation',
    of: here && open ? route.of : { id: conversation },
    at: seq,
    pane: thread === null ? pane : { name: 'thread', root: thread },
  };
}
