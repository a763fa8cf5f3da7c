import { Dialog } from './Dialog.tsx';

interface DeleteDialogProps {
  text: string;
  remove(): void;
  close(): void;
}

export function DeleteDialog({ text, remove, close }: DeleteDialogProps) {
  return (
    <Dialog title="Delete this message?" close={close}>
      <blockquote className="quoted" dir="auto">
        {text}
      </blockquote>
      <p className="hint">Everybody will see that there was a message, and not what it said.</p>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={close}>
          Keep it
        </button>
        <button type="button" className="button primary danger" onClick={remove}>
          Delete
        </button>
      </div>
    </Dialog>
  );
}
