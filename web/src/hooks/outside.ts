import { isOpenTo, refusalAt } from '../store/refused.ts';
import type { Gone } from '../store/rooms.ts';
import { useKnown } from './client.ts';
import { idOfRoute, type Route } from './route.ts';

/** What the address names, where it is known that one is not in it. */
export interface Refused {
  conversation: string;
  /** How one left it, where that happened in this page. */
  gone: Gone | undefined;
  /** Anybody finds it, and may come in. */
  open: boolean;
}

export function useOutside(route: Route): Refused | null {
  const id = idOfRoute(route);
  const gone = useKnown((state) => (id === null ? undefined : state.gone.get(id)));
  const refusal = useKnown((state) => (id === null ? null : refusalAt(state, id)));
  if (id === null || (gone === undefined && refusal === null)) return null;
  return { conversation: id, gone, open: isOpenTo(gone, refusal) };
}
