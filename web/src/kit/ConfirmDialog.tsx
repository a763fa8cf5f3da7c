import type { ReactNode } from 'react';
import { useWords } from '../i18n/speech.tsx';
import { Dialog } from './Dialog.tsx';

interface ConfirmDialogProps {
  title: string;
  /** What it means. */
  children: ReactNode;
  /** What is about to be done, in a word. */
  deed: string;
  /** The way out, where “Cancel” would not say it. */
  stay?: string;
  run(): void;
  close(): void;
}

/** Asks before something that others notice. */
export function ConfirmDialog({ title, children, deed, stay, run, close }: ConfirmDialogProps) {
  const { common } = useWords();
  return (
    <Dialog title={title} close={close}>
      <p className="hint">{children}</p>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={close}>
          {stay ?? common.cancel}
        </button>
        <button
          type="button"
          className="button primary danger"
          onClick={() => {
            close();
            run();
          }}
        >
          {deed}
        </button>
      </div>
    </Dialog>
  );
}
