import type { QuietHours } from '../../device/notify.ts';
import { useWords } from '../../i18n/speech.tsx';

interface QuietHoursFieldsProps {
  quiet: QuietHours;
  set(quiet: QuietHours): void;
}

export function QuietHoursFields({ quiet, set }: QuietHoursFieldsProps) {
  const { notifications: said } = useWords().settings;
  const time = (which: 'from' | 'to') => (
    <label>
      <span>{said[which]}</span>
      <input
        type="time"
        value={textOf(quiet[which])}
        onChange={({ target }) => {
          const minutes = minutesOf(target.value);
          if (minutes !== null) set({ ...quiet, [which]: minutes });
        }}
        required
      />
    </label>
  );
  return (
    <fieldset className="settings-choices">
      <legend>{said.quiet}</legend>
      <label className="settings-choice">
        <input
          type="checkbox"
          checked={quiet.on}
          onChange={({ target }) => set({ ...quiet, on: target.checked })}
        />
        <span>
          {said.quietOn} <span className="hint">{said.quietMeans}</span>
        </span>
      </label>
      {quiet.on && (
        <div className="settings-times">
          {time('from')}
          {time('to')}
        </div>
      )}
      {quiet.on && quiet.from === quiet.to && <p className="hint">{said.allDay}</p>}
    </fieldset>
  );
}

/** As a field for times writes them: 22:05. */
function textOf(minutes: number): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** Null while it is not written to its end. */
function minutesOf(text: string): number | null {
  const found = /^(\d\d):(\d\d)/.exec(text);
  return found === null ? null : Number(found[1]) * 60 + Number(found[2]);
}
