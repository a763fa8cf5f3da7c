import { Children, type ReactNode, useState } from 'react';
import { useWords } from '../../../i18n/speech.tsx';
import { Copy } from './Copy.tsx';
import type { Coloured } from './highlight.ts';
import { useColoured } from './useColoured.ts';
import './code.css';

/** A block with more lines than this shows these, until it is asked for all. */
const MAX_LINES = 16;
/** So few more are not worth a button. */
const GRACE_LINES = 4;

export function CodeBlock({ language, text }: { language: string; text: string }) {
  const { code } = useWords().message;
  const [whole, setWhole] = useState(false);
  const coloured = useColoured(language, text);
  const lines = text.split('\n').length;
  const long = lines > MAX_LINES + GRACE_LINES;
  return (
    <div className="code" dir="ltr">
      <div className="code-head">
        <span>{language === '' ? code.name : language}</span>
        <Copy text={text} />
      </div>
      <section
        className={long && !whole ? 'code-lines code-cut' : 'code-lines'}
        aria-label={language === '' ? code.name : code.in(language)}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable from the keyboard
        tabIndex={0}
      >
        <pre>
          <code>{drawn(coloured)}</code>
        </pre>
      </section>
      {long && (
        <button type="button" className="link" aria-expanded={whole} onClick={() => setWhole(!whole)}>
          {whole ? code.fewer : code.all(lines)}
        </button>
      )}
    </div>
  );
}

function drawn(parts: readonly Coloured[]): ReactNode {
  return Children.toArray(parts.map(partOf));
}

function partOf(part: Coloured): ReactNode {
  return typeof part === 'string' ? part : <span className={part.className}>{drawn(part.parts)}</span>;
}
