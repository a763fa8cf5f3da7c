import { type ReactNode, useId, useLayoutEffect, useRef } from 'react';
import { useWords } from '../i18n/speech.tsx';
import { CloseIcon } from './icons.tsx';
import { closeModal } from './modal.ts';
import './dialog.css';

interface DialogProps {
  title: string;
  close(): void;
  children: ReactNode;
}

/** A modal of the browser's own: it keeps the focus, Escape closes it, and the focus returns to where it was. */
export function Dialog({ title, close, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { common } = useWords();
  const heading = useId();

  // Closed before it leaves the page, for only then does the browser give the focus back.
  useLayoutEffect(() => {
    const shown = dialog.current;
    if (shown !== null && !shown.open) shown.showModal();
    return () => {
      if (shown !== null) closeModal(shown);
    };
  }, []);

  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
    >
      <header className="dialog-head">
        <h2 id={heading}>{title}</h2>
        <button type="button" className="icon-button" aria-label={common.close} onClick={close}>
          <CloseIcon />
        </button>
      </header>
      {children}
    </dialog>
  );
}
