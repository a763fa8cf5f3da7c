/** A change to what is written in a field, as if it had been typed. */
export interface Edit {
  from: number;
  to: number;
  text: string;
  /** What is selected then; behind what was put in where nothing is said. */
  select?: readonly [start: number, end: number];
}

/** What the field has afterwards. */
export function edited(before: string, { from, to, text }: Edit): string {
  return before.slice(0, from) + text + before.slice(to);
}

/** By the browser's own command, for that is what undo takes back. The field tells of it as of typing. */
export function applyEdit(field: HTMLTextAreaElement, { from, to, text, select }: Edit): void {
  field.focus();
  field.setSelectionRange(from, to);
  const done = document.execCommand(text === '' ? 'delete' : 'insertText', false, text);
  if (!done) {
    field.setRangeText(text, from, to, 'end');
    field.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'insertReplacementText' }));
  }
  if (select !== undefined) field.setSelectionRange(...select);
}
