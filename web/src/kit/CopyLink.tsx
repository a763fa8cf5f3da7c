import { useState } from 'react';
import { useWords } from '../i18n/speech.tsx';
import { addressOf, copied } from './clipboard.ts';
import { LinkIcon } from './icons.tsx';

/** Copies where something is; where the browser does not let it, the address stands there to be copied by hand. */
export function CopyLink({ hash, className }: { hash: string; className: string }) {
  const { common } = useWords();
  const [done, setDone] = useState<boolean | null>(null);
  const link = addressOf(hash);
  return (
    <div className="copy-link">
      <button type="button" className={className} onClick={() => void copied(link).then(setDone)}>
        <LinkIcon />
        <span role="status">{done === true ? common.linkCopied : common.copyLink}</span>
      </button>
      {done === false && (
        <label className="field">
          <span>{common.copyByHand}</span>
          <input readOnly value={link} onFocus={(event) => event.currentTarget.select()} />
        </label>
      )}
    </div>
  );
}
