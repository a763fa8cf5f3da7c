import type { ReactNode } from 'react';
import { hashHere } from './links.ts';

interface LinkProps {
  href: string;
  /** Where it leads, if its text reads like another address. */
  where: string | null;
  children: ReactNode;
}

/** What is ours opens here; anything else in a tab of its own, which learns nothing of this page. */
export function Link({ href, where, children }: LinkProps) {
  const hash = hashHere(href, location.origin);
  const told = (
    <>
      <bdi>{children}</bdi>
      {where !== null && (
        <bdi className="where" dir="ltr">
          {' '}
          ({where})
        </bdi>
      )}
    </>
  );
  if (hash !== null) return <a href={hash}>{told}</a>;
  return (
    <a
      href={href}
      title={href}
      target="_blank"
      rel="noopener noreferrer nofollow"
      referrerPolicy="no-referrer"
    >
      {told}
    </a>
  );
}
