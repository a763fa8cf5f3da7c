import { useWords } from '../../i18n/speech.tsx';
import { Dialog } from '../../kit/Dialog.tsx';
import { plain } from './text/plain.ts';

interface DeleteDialogProps {
  text: string;
  /** Of whom it is, where it is not one's own. */
  author: string | null;
  remove(): void;
  close(): void;
}

export function DeleteDialog({ text, author, remove, close }: DeleteDialogProps) {
  const { message } = useWords();
  return (
    <Dialog title={author === null ? message.deleteTitle : message.deleteTitleOf(author)} close={close}>
      <blockquote className="quoted" dir="auto">
        {plain(text)}
      </blockquote>
      <p className="hint">{message.deleteMeans}</p>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={close}>
          {message.keep}
        </button>
        <button type="button" className="button primary danger" onClick={remove}>
          {message.delete}
        </button>
      </div>
    </Dialog>
  );
}
