import { type ReactNode, useState } from 'react';

interface FoldedProps {
  author: string;
  children: ReactNode;
}

/** What somebody says whom this person has blocked, among others: there, but not before it is asked for (CMD7). */
export function Folded({ author, children }: FoldedProps) {
  const [shown, setShown] = useState(false);
  if (shown) return children;
  return (
    <li className="notice">
      <span>{author}, whom you have blocked, said something.</span>{' '}
      <button type="button" className="link" onClick={() => setShown(true)}>
        Show
      </button>
    </li>
  );
}
