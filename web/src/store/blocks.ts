/** Whom this person has blocked (PROTOCOL CMD7). */

/** At its place in the log. */
export interface Block {
  seq: number;
  user: string;
  blocked: boolean;
}

/** As many as one account may block. */
export const MAX_BLOCKED = 1_000;

/** The next one in the log's order; the same list for one that has been taken in. */
export function withRecentBlock(recent: readonly Block[], next: Block): readonly Block[] {
  return next.seq <= (recent.at(-1)?.seq ?? 0) ? recent : [...recent.slice(1 - MAX_BLOCKED), next];
}

export function withBlocks(blocked: Iterable<string>, changes: readonly Block[]): ReadonlySet<string> {
  const next = new Set(blocked);
  for (const { user, blocked: is } of changes) {
    if (is) next.add(user);
    else next.delete(user);
  }
  return next;
}
