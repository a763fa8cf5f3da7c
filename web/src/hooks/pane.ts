/** What stands beside the open conversation: by its address, so that the way back closes it. */
import { go, type Pane, routeOf, useRoute } from './route.ts';

export function usePane(): Pane | null {
  const route = useRoute();
  return route.page === 'conversation' ? route.pane : null;
}

/** Nothing where no conversation is open. */
export function showPane(pane: Pane | null): void {
  const route = routeOf(location.hash);
  if (route.page === 'conversation') go({ ...route, pane });
}

export function closePane(): void {
  showPane(null);
}

export function showPerson(handle: string): void {
  showPane({ name: 'person', handle });
}
