import { HashIcon, LockIcon } from '../../kit/icons.tsx';
import { toneOf } from '../../kit/people.ts';
import type { Visibility } from '../../net/frames.ts';

/** What tells rooms from people, and private ones from public ones; decoration, words stand beside it. */
export function RoomMark({ id, visibility }: { id: string; visibility: Visibility }) {
  return (
    <span className={`avatar room-mark tone-${toneOf(id)}`} aria-hidden="true">
      {visibility === 'public' ? <HashIcon /> : <LockIcon />}
    </span>
  );
}
