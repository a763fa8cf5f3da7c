/**
 * Closes a dialog that is about to leave the page; the focus goes back to where it was. Chromium would lose the caret
 * there, and with it what is typed next, if the dialog left with the caret still in a field of its own.
 */
export function closeModal(dialog: HTMLDialogElement): void {
  if (!dialog.open) return;
  const selection = getSelection();
  if (selection !== null && dialog.contains(selection.anchorNode)) selection.removeAllRanges();
  dialog.close();
}
