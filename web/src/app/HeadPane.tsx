import type { ReactNode } from 'react';
import { showPane, usePane } from '../hooks/pane.ts';
import type { Pane } from '../hooks/route.ts';
import './shell.css';

/** A way to what stands beside a conversation. */
export interface PaneWay {
  pane: Pane;
  name: string;
  icon: ReactNode;
  /** Stands beside the icon, where there is room. */
  count?: number | undefined;
}

/** In the head of a conversation: opens a pane beside it, and closes it again. */
export function HeadPane({ pane, name, icon, count }: PaneWay) {
  const shown = usePane()?.name === pane.name;
  return (
    <button
      type="button"
      className={count === undefined ? 'icon-button' : 'icon-button head-pane'}
      aria-label={name}
      aria-expanded={shown}
      title={name}
      onClick={() => showPane(shown ? null : pane)}
    >
      {icon}
      {count}
    </button>
  );
}
