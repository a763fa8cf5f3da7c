import { TEXT_SIZES, THEMES, type Theme } from '../../device/device.ts';
import { useDeviceSettings } from '../../hooks/device.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Choices } from './Choices.tsx';
import { Saved, useChange } from './Saved.tsx';

export function AppearanceSection() {
  const { appearance } = useWords().settings;
  const { theme, textSize } = useDeviceSettings();
  const [change, saves] = useChange();
  return (
    <>
      <Choices
        title={appearance.theme}
        className="settings-themes"
        values={THEMES}
        chosen={theme}
        choose={(theme) => change({ theme })}
        label={(theme) => (
          <>
            <Preview theme={theme} />
            {appearance.themes[theme]}
          </>
        )}
      />
      <Choices
        title={appearance.textSize}
        values={TEXT_SIZES}
        chosen={textSize}
        choose={(textSize) => change({ textSize })}
        label={(size) => appearance.textSizes[size]}
      />
      <p className="hint">{appearance.onThisDevice}</p>
      <Saved times={saves} />
    </>
  );
}

/** A page in small; as the system has it, half of each. */
function Preview({ theme }: { theme: Theme }) {
  const halves = theme === 'system' ? (['light', 'dark'] as const) : [theme];
  return (
    <span className="settings-preview" aria-hidden="true">
      {halves.map((half) => (
        <span key={half} data-theme={half} className="settings-preview-page">
          <span />
          <span />
          <span />
        </span>
      ))}
    </span>
  );
}
