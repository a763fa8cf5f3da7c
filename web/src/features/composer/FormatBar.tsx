import { type ReactNode, useMemo } from 'react';
import { isMac, namesOfKeys } from '../../app/keys/keys.ts';
import { useWords } from '../../i18n/speech.tsx';
import { CodeIcon, LinkIcon, ListIcon, QuoteIcon, SpoilerIcon } from '../../kit/icons.tsx';
import { Toolbar } from '../../kit/Toolbar.tsx';
import { FORMAT_KEYS, FORMATS_WITH_KEYS } from './formatKeys.ts';
import type { Format } from './formatting.ts';

const FORMATS: readonly { format: Format; icon: ReactNode }[] = [
  { format: 'bold', icon: <b>B</b> },
  { format: 'italic', icon: <i>I</i> },
  { format: 'strike', icon: <s>S</s> },
  { format: 'code', icon: <CodeIcon /> },
  { format: 'link', icon: <LinkIcon /> },
  { format: 'list', icon: <ListIcon /> },
  { format: 'quote', icon: <QuoteIcon /> },
  { format: 'spoiler', icon: <SpoilerIcon /> },
];

export function FormatBar({ put }: { put(format: Format): void }) {
  const { app, composer } = useWords();
  const tools = useMemo(
    () =>
      FORMATS.map(({ format, icon }) => {
        const name = composer.formats[format];
        const withKeys = FORMATS_WITH_KEYS.find((one) => one === format);
        const keys = withKeys && namesOfKeys(FORMAT_KEYS[withKeys], app.keys.names, isMac()).join('+');
        return {
          ...{ id: format, name, icon, title: keys === undefined ? name : `${name} (${keys})` },
          run: () => put(format),
        };
      }),
    [app, composer, put],
  );
  return (
    <Toolbar
      name={composer.formatting}
      className="format-bar"
      buttonClass="format"
      tools={tools}
      leaveFocus
    />
  );
}
