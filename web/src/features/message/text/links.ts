/** Where a link leads, and whether it says so. */

const SCHEMES: ReadonlySet<string> = new Set(['http:', 'https:', 'mailto:']);
/** A longer text is not searched for addresses: where it leads is shown. */
const MAX_SEARCHED = 300;
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
const ADDRESSES = /(?:[\p{L}\p{N}\p{M}-]+[.。])+\p{L}[\p{L}\p{N}\p{M}-]+(?::\d+)?/gu;
const ONE_ADDRESS = /^(?:[a-z]+:\/\/)?([^\s/?#\\]+)(?:[/?#\\]\S*)?$/u;

export interface Destination {
  href: string;
  /** The host in ASCII, without user names in front of it; of `mailto:` the address. */
  where: string;
}

/** Null where a link of a message must not lead. */
export function destinationOf(href: string): Destination | null {
  if (!URL.canParse(href)) return null;
  const url = new URL(href);
  if (!SCHEMES.has(url.protocol)) return null;
  if (url.protocol !== 'mailto:') return { href: url.href, where: url.host };
  // Whom it is for, and nothing else: a link must not choose the subject, the text and who else gets it.
  return { href: `mailto:${url.pathname}`, where: url.pathname };
}

/** Whether a text reads like another address than the one that it leads to. */
export function seemsElsewhere(text: string, where: string): boolean {
  if (text.length > MAX_SEARCHED) return true;
  const said = text
    .normalize('NFKC')
    .replace(INVISIBLE, '')
    .trim()
    .toLowerCase()
    .replace(/^mailto:/, '');
  const [, authority] = ONE_ADDRESS.exec(said) ?? [];
  if (authority?.match(ADDRESSES) != null) return !isSame(authority, where);
  return [...said.matchAll(ADDRESSES)].some(([address]) => !isSame(address, where));
}

/** The conversation or message of this very Natter that an address names, as its hash; null for anything else. */
export function hashHere(href: string, origin: string): string | null {
  if (!URL.canParse(href)) return null;
  const url = new URL(href);
  if (url.origin !== origin || url.search !== '') return null;
  if (url.pathname === '/' && url.hash.startsWith('#/')) return url.hash;
  return url.pathname.startsWith('/c/') ? `#${url.pathname}` : null;
}

function isSame(said: string, where: string): boolean {
  const [a, b] = [said, where.toLowerCase()].map((host) => host.replace(/^www\./, ''));
  return a === b;
}
