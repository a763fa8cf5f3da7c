/** False where the browser does not let it: a page that came over an open network has no clipboard, for one. */
export async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** A place in this page, as somebody else can open it. */
export function addressOf(hash: string): string {
  return new URL(hash, location.href).href;
}
