import type { ReactNode } from 'react';

interface IconProps {
  /** It means a direction, or lines of writing: it is turned where these run from right to left. */
  turns?: boolean;
  children: ReactNode;
}

/** Icons say nothing by themselves: whatever they mean is in words beside them. */
export function Icon({ turns = false, children }: IconProps) {
  return (
    <svg
      className={turns ? 'icon icon-turns' : 'icon'}
      viewBox="0 0 24 24"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}
