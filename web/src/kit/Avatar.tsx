import { initialOf, toneOf } from './people.ts';
import './avatar.css';

interface AvatarProps {
  /** Whose colour; a handle. */
  handle: string;
  name: string;
  presence?: string | undefined;
}

/** A coloured initial; decoration, the name stands beside it. */
export function Avatar({ handle, name, presence }: AvatarProps) {
  return (
    <span className={`avatar tone-${toneOf(handle)}`} aria-hidden="true">
      {initialOf(name)}
      {presence !== undefined && presence !== 'offline' && <span className={`dot dot-${presence}`} />}
    </span>
  );
}
