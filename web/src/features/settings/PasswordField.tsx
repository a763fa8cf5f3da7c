import { useId } from 'react';

interface PasswordFieldProps {
  name: 'current' | 'next' | 'again';
  label: string;
  value: string;
  write(text: string): void;
  /** What is wrong with it. */
  fault: string | undefined;
  hint?: string | undefined;
}

export function PasswordField({ name, label, value, write, fault, hint }: PasswordFieldProps) {
  const note = useId();
  return (
    <div className="settings-field">
      <label className="field">
        <span>{label}</span>
        <input
          name={name}
          type="password"
          autoComplete={name === 'current' ? 'current-password' : 'new-password'}
          value={value}
          onChange={(event) => write(event.target.value)}
          aria-invalid={fault !== undefined}
          aria-describedby={note}
          required
        />
      </label>
      <p id={note} className={fault === undefined ? 'hint' : 'settings-fault'}>
        {fault ?? hint}
      </p>
    </div>
  );
}
