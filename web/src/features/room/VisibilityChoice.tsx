import { useId } from 'react';
import { useWords } from '../../i18n/speech.tsx';
import type { Visibility } from '../../net/frames.ts';
import './room.css';

const KINDS: readonly Visibility[] = ['public', 'private'];

interface VisibilityChoiceProps {
  chosen: Visibility;
  choose(visibility: Visibility): void;
  legend: string;
}

/** Who finds a room, each with what it means. */
export function VisibilityChoice({ chosen, choose, legend }: VisibilityChoiceProps) {
  const { room } = useWords();
  const name = useId();
  return (
    <fieldset className="choices">
      <legend>{legend}</legend>
      {KINDS.map((kind) => (
        <label key={kind} className="choice">
          <input type="radio" name={name} checked={chosen === kind} onChange={() => choose(kind)} />
          <span>
            {room[kind]} <span className="hint">{room[`${kind}Means`]}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
