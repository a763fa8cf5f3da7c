import { oneLine } from './bidi.ts';

/** What somebody called themselves or a room, in any direction, among words of ours. */
export function Name({ children }: { children: string }) {
  return <bdi>{oneLine(children)}</bdi>;
}

/** The @ stays before the handle where lines run from right to left, too. */
export function Handle({ of }: { of: string }) {
  return <bdi>@{of}</bdi>;
}
