import { useDeviceSettings } from '../../hooks/device.ts';
import { isLanguage, LANGUAGES, languageFor } from '../../i18n/language.ts';
import { useWords } from '../../i18n/speech.tsx';
import { Choices } from './Choices.tsx';
import { Saved, useChange } from './Saved.tsx';

const AS_BROWSER = 'browser';
const VALUES = [AS_BROWSER, ...Object.keys(LANGUAGES)];

export function LanguageSection() {
  const { language: said } = useWords().settings;
  const { language } = useDeviceSettings();
  const [change, saves] = useChange();
  const browsers = LANGUAGES[languageFor(null, navigator.languages)];
  return (
    <>
      <Choices
        title={said.language}
        values={VALUES}
        chosen={language ?? AS_BROWSER}
        choose={(value) => change({ language: isLanguage(value) ? value : null })}
        label={(value) =>
          isLanguage(value) ? (
            <span lang={value}>{LANGUAGES[value]}</span>
          ) : (
            <>
              {said.asBrowser} <span className="hint">({said.asBrowserMeans(browsers)})</span>
            </>
          )
        }
      />
      <Saved times={saves} />
    </>
  );
}
