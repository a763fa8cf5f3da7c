import { version } from '../../../package.json';
import { useWords } from '../../i18n/speech.tsx';

export function AboutSection() {
  const { about } = useWords().settings;
  return (
    <>
      <p>{about.what}</p>
      <dl className="settings-facts">
        <div>
          <dt>{about.version}</dt>
          <dd>{version}</dd>
        </div>
        <div>
          <dt>{about.server}</dt>
          <dd>{location.host}</dd>
        </div>
      </dl>
    </>
  );
}
