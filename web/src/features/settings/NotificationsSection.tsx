import { askPermission, usePermission } from '../../app/notify/permission.ts';
import { LEVELS, type Level, type NotifySettings } from '../../device/notify.ts';
import { useDeviceSettings } from '../../hooks/device.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Choices } from './Choices.tsx';
import { QuietHoursFields } from './QuietHoursFields.tsx';
import { Saved, useChange } from './Saved.tsx';
import { SoundFields } from './SoundFields.tsx';

export function NotificationsSection() {
  const { notifications: said } = useWords().settings;
  const { notify } = useDeviceSettings();
  const [change, saves] = useChange();
  const set = (to: Partial<NotifySettings>) => change({ notify: { ...notify, ...to } });
  const choose = (level: Level) => {
    set({ level });
    if (level !== 'off') void askPermission();
  };
  return (
    <>
      <Choices
        title={said.when}
        values={LEVELS}
        chosen={notify.level}
        choose={choose}
        label={(level) => said.levels[level]}
      />
      {notify.level !== 'off' && <PermissionNote />}
      <p className="hint">{said.mutedMeans}</p>
      <p className="hint">{said.needsOpen}</p>
      <fieldset className="settings-choices">
        <legend>{said.how}</legend>
        <label className="settings-choice">
          <input
            type="checkbox"
            checked={notify.preview}
            onChange={({ target }) => set({ preview: target.checked })}
          />
          <span>
            {said.preview} <span className="hint">{said.previewMeans}</span>
          </span>
        </label>
        <SoundFields notify={notify} set={set} />
      </fieldset>
      <QuietHoursFields quiet={notify.quiet} set={(quiet) => set({ quiet })} />
      <Saved times={saves} />
    </>
  );
}

/** Why there may be nothing to see, and what helps. */
function PermissionNote() {
  const { notifications: said } = useWords().settings;
  const permission = usePermission();
  if (permission === 'granted') return null;
  if (permission !== 'default') return <p className="settings-note">{said[permission]}</p>;
  return (
    <p className="settings-note">
      {said.notAsked}{' '}
      <button type="button" className="link" onClick={() => void askPermission()}>
        {said.ask}
      </button>
    </p>
  );
}
