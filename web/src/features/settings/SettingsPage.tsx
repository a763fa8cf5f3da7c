/** The settings: sections beside the one that is open; on a narrow screen one or the other. */
import { useEffect, useRef } from 'react';
import { useDialogs } from '../../app/dialogs.tsx';
import { hashOf } from '../../hooks/route.ts';
import { useWords } from '../../i18n/speech.tsx';
import { BackIcon, ForwardIcon } from '../../kit/icons.tsx';
import { AboutSection } from './AboutSection.tsx';
import { AppearanceSection } from './AppearanceSection.tsx';
import { LanguageSection } from './LanguageSection.tsx';
import { NotificationsSection } from './NotificationsSection.tsx';
import { PasswordSection } from './PasswordSection.tsx';
import { PrivacySection } from './PrivacySection.tsx';
import { ProfileSection } from './ProfileSection.tsx';
import { SECTIONS, type SectionName, sectionOf } from './sections.ts';
import './settings.css';

const VIEWS: Record<SectionName, () => React.ReactNode> = {
  profile: ProfileSection,
  password: PasswordSection,
  appearance: AppearanceSection,
  language: LanguageSection,
  notifications: NotificationsSection,
  privacy: PrivacySection,
  about: AboutSection,
};

export function SettingsPage({ section }: { section: string | null }) {
  const { app, settings } = useWords();
  const dialogs = useDialogs();
  const chosen = sectionOf(section);
  const shown = chosen ?? SECTIONS[0];
  const View = VIEWS[shown];
  const head = useRef<HTMLHeadingElement>(null);
  const sectionHead = useRef<HTMLHeadingElement>(null);

  useEffect(() => (chosen === null ? head : sectionHead).current?.focus(), [chosen]);

  return (
    <section
      className={chosen === null ? 'settings' : 'settings settings-chosen'}
      aria-label={settings.settings}
    >
      <header className="conversation-head">
        <a
          className="icon-button back"
          href={chosen === null ? '#/' : hashOf({ page: 'settings', section: null })}
          aria-label={chosen === null ? app.backToList : settings.backToSections}
        >
          <BackIcon />
        </a>
        <h2 ref={head} tabIndex={-1}>
          {settings.settings}
        </h2>
      </header>
      <div className="settings-body">
        <nav className="settings-nav" aria-label={settings.settings}>
          <ul>
            {SECTIONS.map((name) => (
              <li key={name}>
                <a
                  href={hashOf({ page: 'settings', section: name })}
                  aria-current={name === shown ? 'page' : undefined}
                >
                  {settings.sections[name]}
                  <ForwardIcon />
                </a>
              </li>
            ))}
          </ul>
          <button type="button" className="button" onClick={() => dialogs.show('log_out')}>
            {settings.logOut}
          </button>
        </nav>
        <div className="settings-section">
          <h3 ref={sectionHead} tabIndex={-1}>
            {settings.sections[shown]}
          </h3>
          <View />
        </div>
      </div>
    </section>
  );
}
