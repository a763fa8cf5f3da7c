import { type ReactNode, useId } from 'react';

interface ChoicesProps<T extends string> {
  title: string;
  values: readonly T[];
  chosen: T;
  choose(value: T): void;
  /** What stands for a value. */
  label(value: T): ReactNode;
  className?: string;
}

/** One of several. */
export function Choices<T extends string>({
  title,
  values,
  chosen,
  choose,
  label,
  className = '',
}: ChoicesProps<T>) {
  const name = useId();
  return (
    <fieldset className={`settings-choices ${className}`}>
      <legend>{title}</legend>
      {values.map((value) => (
        <label key={value} className="settings-choice">
          <input type="radio" name={name} checked={value === chosen} onChange={() => choose(value)} />
          <span>{label(value)}</span>
        </label>
      ))}
    </fieldset>
  );
}
