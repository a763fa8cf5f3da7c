import { useEffect, useState } from 'react';
import { useWords } from '../../../i18n/speech.tsx';
import { copied } from '../../../kit/clipboard.ts';

const SAID_FOR_MS = 2_000;

type Said = 'copy' | 'copied' | 'notCopied';

/** Copies what is seen, and nothing that is not. */
export function Copy({ text }: { text: string }) {
  const { code } = useWords().message;
  const [said, setSaid] = useState<Said>('copy');
  useEffect(() => {
    if (said === 'copy') return;
    const timer = setTimeout(() => setSaid('copy'), SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [said]);

  const copy = async () => setSaid((await copied(text)) ? 'copied' : 'notCopied');
  return (
    <button type="button" className="copy" onClick={() => void copy()}>
      <span aria-live="polite">{code[said]}</span>
    </button>
  );
}
