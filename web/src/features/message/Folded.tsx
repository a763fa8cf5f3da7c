import { type ReactNode, useState } from 'react';
import { useWords } from '../../i18n/speech.tsx';

interface FoldedProps {
  author: string;
  children: ReactNode;
}

/** CMD7: what a blocked person says among others is there, and shown only to whom asks for it. */
export function Folded({ author, children }: FoldedProps) {
  const { message } = useWords();
  const [shown, setShown] = useState(false);
  if (shown) return children;
  return (
    <li className="notice">
      <span>{message.foldedOf(author)}</span>{' '}
      <button type="button" className="link" onClick={() => setShown(true)}>
        {message.show}
      </button>
    </li>
  );
}
