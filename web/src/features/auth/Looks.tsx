import { THEMES } from '../../device/device.ts';
import { useDevice, useDeviceSettings } from '../../hooks/device.ts';
import { isLanguage, LANGUAGES } from '../../i18n/language.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Icon } from '../../kit/Icon.tsx';

/** Language and theme, for who is not in yet; the settings have the rest. */
export function Looks() {
  const device = useDevice();
  const { language, theme } = useDeviceSettings();
  const { appearance, language: said } = useWords().settings;
  return (
    <footer className="auth-looks">
      <label>
        <GlobeIcon />
        <select
          aria-label={said.language}
          value={language ?? ''}
          onChange={({ target: { value } }) => device.change({ language: isLanguage(value) ? value : null })}
        >
          <option value="">{said.asBrowser}</option>
          {Object.entries(LANGUAGES).map(([value, name]) => (
            <option key={value} value={value} lang={value}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <ThemeIcon />
        <select
          aria-label={appearance.theme}
          value={theme}
          onChange={({ target: { value } }) =>
            device.change({ theme: THEMES.find((known) => known === value) ?? 'system' })
          }
        >
          {THEMES.map((value) => (
            <option key={value} value={value}>
              {appearance.themes[value]}
            </option>
          ))}
        </select>
      </label>
    </footer>
  );
}

const GlobeIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="9" />
    <path d="M3 12h18M12 3c-5 5.5-5 12.5 0 18M12 3c5 5.5 5 12.5 0 18" />
  </Icon>
);

const ThemeIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 3v18a9 9 0 0 0 0-18z" fill="currentcolor" />
  </Icon>
);
