import type { Visibility } from '../net/frames.ts';
import { toneOf } from './format.ts';
import { HashIcon, LockIcon } from './icons.tsx';

/** What tells rooms from people, and private ones from public ones; decoration, words stand beside it. */
export function RoomMark({ id, visibility }: { id: string; visibility: Visibility }) {
  return (
    <span className={`avatar room-mark tone-${toneOf(id)}`} aria-hidden="true">
      {visibility === 'public' ? <HashIcon /> : <LockIcon />}
    </span>
  );
}
