import { playSound } from '../../app/notify/sound.ts';
import type { NotifySettings } from '../../device/notify.ts';
import { useWords } from '../../i18n/speech.tsx';

interface SoundFieldsProps {
  notify: NotifySettings;
  set(to: Partial<NotifySettings>): void;
}

export function SoundFields({ notify, set }: SoundFieldsProps) {
  const { notifications: said } = useWords().settings;
  return (
    <>
      <label className="settings-choice">
        <input
          type="checkbox"
          checked={notify.sound}
          onChange={({ target }) => set({ sound: target.checked })}
        />
        <span>{said.sound}</span>
      </label>
      {notify.sound && (
        <div className="settings-volume">
          <label>
            <span>{said.volume}</span>
            <input
              type="range"
              min={0}
              max={100}
              step={5}
              value={notify.volume}
              onChange={({ target }) => set({ volume: target.valueAsNumber })}
            />
          </label>
          <button type="button" className="button small" onClick={() => playSound(notify.volume)}>
            {said.tryIt}
          </button>
        </div>
      )}
    </>
  );
}
