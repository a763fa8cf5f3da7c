/** Where the focus goes in the page, by what stands there. */

/** Into the field that one writes in; on a touch screen that would raise the keyboard over what one came to read. */
export function focusConversation(): void {
  const field = document.querySelector<HTMLElement>('.composer textarea');
  if (field !== null && window.matchMedia('(pointer: fine)').matches) field.focus();
  else focusHeading();
}

/** The name of what is open, for who can't see that it is another one. */
function focusHeading(place: ParentNode | null = document.querySelector('.pane')): void {
  const heading = place?.querySelector('h2');
  if (heading == null) return;
  heading.tabIndex = -1;
  heading.focus();
}

export function focusMessages(): void {
  document.querySelector<HTMLElement>('.pane [role="log"]')?.focus();
}

export function focusFilter(): void {
  document.querySelector<HTMLElement>('.list-filter input')?.focus();
}

/** Onto the first of what stands below the filter. */
export function focusList(): void {
  document.querySelector<HTMLElement>('.list-scroll :is(a, button)')?.focus();
}

/** The first conversation or person below the filter; a room that one is not in asks to be joined. */
export function openFirstRow(): void {
  document.querySelector<HTMLElement>('.list-scroll li a')?.click();
}

/** Of the search for what was said. */
export function focusSearch(): void {
  document.querySelector<HTMLElement>('.search-words input')?.focus();
}

/**
 * Before what was pressed goes, with all of `going`: on to what comes next in the same pane, or to its heading. Left alone
 * the focus would fall to the page, where single letters are shortcuts.
 */
export function focusPast(going: Element): void {
  const place = going.closest('dialog, .side-pane, .pane, nav') ?? document.body;
  const next = [...place.querySelectorAll<HTMLElement>('a[href], button')].find(
    (each) =>
      !going.contains(each) &&
      (going.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0 &&
      each.checkVisibility(),
  );
  if (next !== undefined) next.focus();
  else focusHeading(place);
}

export function rowLink(list: ParentNode, key: string): HTMLElement | null {
  return list.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`);
}

export function rowMenu(list: ParentNode, key: string): HTMLElement | null {
  return list.querySelector<HTMLElement>(`[data-row-menu="${CSS.escape(key)}"]`);
}
