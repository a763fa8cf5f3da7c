import { useWords } from '../i18n/speech.tsx';
import { BackIcon } from '../kit/icons.tsx';

/** To the list, where there is no room for it beside the conversation. */
export function BackLink() {
  const { app } = useWords();
  return (
    <a className="icon-button back" href="#/" aria-label={app.backToList}>
      <BackIcon />
    </a>
  );
}
