import { BackIcon } from './icons.tsx';

/** To the list, where there is no room for it beside the conversation. */
export function BackLink() {
  return (
    <a className="icon-button back" href="#/" aria-label="Back to conversations">
      <BackIcon />
    </a>
  );
}
