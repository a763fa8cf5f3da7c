/** What the page is said in: its words, and how it writes dates. English is there at once, others are loaded. */
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import type { Device } from '../device/device.ts';
import type { Calendar } from '../kit/time.ts';
import { type Catalogue, en } from './en.ts';
import { directionOf, type Language, languageFor, localeFor } from './language.ts';

export interface Speech {
  language: Language;
  words: Catalogue;
  calendar: Calendar;
}

const LOADERS: Record<Language, () => Promise<Catalogue>> = {
  en: () => Promise.resolve(en),
  de: async () => (await import('./de.ts')).de,
};

const SpeechContext = createContext<Speech>(speechOf('en', en));

export function useSpeech(): Speech {
  return useContext(SpeechContext);
}

export function useWords(): Catalogue {
  return useSpeech().words;
}

/** Shows nothing until the words are there, so that no page is seen in two languages; English where they can't be had. */
export function Speaking({ device, children }: { device: Device; children: ReactNode }) {
  const chosen = useSyncExternalStore(device.subscribe, () => device.settings.language);
  const language = languageFor(chosen, navigator.languages);
  const [loaded, setLoaded] = useState<Speech | null>(() => (language === 'en' ? speechOf('en', en) : null));

  useEffect(() => {
    let wanted = true;
    LOADERS[language]().then(
      (words) => wanted && setLoaded(speechOf(language, words)),
      () => wanted && setLoaded((held) => held ?? speechOf('en', en)),
    );
    return () => {
      wanted = false;
    };
  }, [language]);

  useEffect(() => {
    if (loaded === null) return;
    document.documentElement.lang = loaded.language;
    document.documentElement.dir = directionOf(loaded.language);
  }, [loaded]);

  return loaded === null ? null : <SpeechContext value={loaded}>{children}</SpeechContext>;
}

function speechOf(language: Language, words: Catalogue): Speech {
  const locale = localeFor(language, typeof navigator === 'undefined' ? [] : navigator.languages);
  return { language, words, calendar: { locale, timeZone: undefined } };
}
