import './toast.css';

export interface Note {
  /** Told again where the same was told before. */
  n: number;
  text: string;
}

/** A word on something that was done, for a moment. It is there from the beginning, so that it is also heard. */
export function Toast({ note }: { note: Note | null }) {
  return (
    <div className="toast-place" role="status">
      {note !== null && (
        <p key={note.n} className="toast">
          {note.text}
        </p>
      )}
    </div>
  );
}
